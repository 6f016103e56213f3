import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';

/** `daxrepro run`: its arguments and options. */
export function defineRun(program: Command): void {
  program
    .command('run')
    .summary('run tests on one kernel')
    .description(
      'Runs tests of the suite on one kernel and one file system, each in its own guest.',
    )
    .argument('<fs>', 'ext2, ext4 or xfs')
    .argument('[test...]', 'ids of tests, such as generic/002; `daxrepro list` shows them')
    .option('-g, --group <name>', 'all tests of a group (repeatable)', collect)
    .option(
      '--kernel <spec>',
      'debian:6.1 (5.10, 6.12), debsrc:6.1, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR], or host',
      RUN_DEFAULTS.kernel,
    )
    .option('--cc <compiler>', 'of a kernel that is built (debsrc:, src:): a name or a path')
    .option('--kconfig <file>', 'a fragment of its configuration (repeatable)', collect)
    .option(
      '--patch <file>',
      'a patch, an mbox or a .cocci, applied in order (repeatable)',
      collect,
    )
    .option('--steps <n>', 'only the first n patches of those files')
    .option('--pmem <kind>', 'memmap, nvdimm, virtio-pmem, or none (no DAX)', RUN_DEFAULTS.pmem)
    .option('--control', 'with --pmem none: mount without DAX, and prove that it is not in use')
    .option(
      '--suite <name>',
      'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
      RUN_DEFAULTS.suite,
    )
    .option('--exclude <test>', 'leave out a test, a range or a pattern (repeatable)', collect)
    .option('--exclude-file <file>', 'leave out the tests that a file lists (repeatable)', collect)
    .option('--exclude-group <name>', 'leave out the tests of a group (repeatable)', collect)
    .option(
      '--together',
      'tests of xfstests share guests: faster, but one can leave state to the next',
    )
    .option('--expected <file>', 'failures that are expected, with reasons (YAML)')
    .option('--mount-opts <options>', 'more mount options, after those that ask for DAX')
    .option('--mkfs-opts <options>', 'more options for mke2fs or mkfs.xfs')
    .option('--size <size>', 'of each device: 256M, 1G (default: 256M, for xfs 512M)')
    .option(
      '--timeout <time>',
      `for each test: 90, 5m (default: ${RUN_DEFAULTS.timeout}; of xfstests 15m)`,
    )
    .option('--repeat <n>', 'times to run each test', RUN_DEFAULTS.repeat)
    .option('--until-fail', 'repeat until something fails (without --repeat: 1000 times at most)')
    .option('--seed <n>', "what the guests' random numbers begin with (recorded; default: random)")
    .option('--jobs <n>', 'guests at a time (default: what cores and memory allow)')
    .option('--cpus <n>', 'of each guest', RUN_DEFAULTS.cpus)
    .option('--accel <name>', 'auto (KVM where it really works), kvm or tcg', RUN_DEFAULTS.accel)
    .option(
      '--keep-images <size>',
      'what images of damaged devices may take on the disk; 0 keeps none',
      RUN_DEFAULTS.keepImages,
    )
    .option('--no-checkpoint', 'boot each guest instead of cloning one that was booted before')
    .option('--out <dir>', "where the run's directory goes")
    .option('--json', 'the result as JSON on stdout')
    .option('--dry-run', "print QEMU's command line for a guest that is booted, and start none")
    .action(async (fs, tests, options) => {
      const { runCommand } = await import('../commands/run.js');
      await finish(runCommand(fs, tests, options, process.argv.slice(2)));
    });
}
