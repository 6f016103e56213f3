import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document, RUN_EXIT_CODES } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro run`: its arguments and options. */
export function defineRun(program: Command): void {
  const run = program
    .command('run')
    .summary('run tests on one kernel')
    .description(
      'Runs tests of the suite on one kernel and one file system, each in its own guest.',
    )
    .argument('<fs>', 'ext2, ext4 or xfs')
    .argument('[test...]', 'ids of tests, such as generic/002; `daxrepro list` shows them')
    .optionsGroup('What is run:')
    .option('-g, --group <group>', 'all tests of a group (repeatable)', collect)
    .optionsGroup('Kernel:')
    .option(
      '--kernel <spec>',
      'debian:6.1 (5.10, 6.12), debsrc:6.1, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR], or host',
      RUN_DEFAULTS.kernel,
    )
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .option(
      '--patch <file>',
      'a patch, an mbox or a .cocci, applied in order (repeatable)',
      collect,
    )
    .option('--variant <variant>', 'changes with a name: NAME=FILE,…, or one of daxrepro.yaml')
    .option('--steps <n>', 'only the first n patches of those files')
    .optionsGroup('Persistent memory and file system:')
    .addOption(shared.pmem())
    .addOption(shared.control())
    .optionsGroup('What is run:')
    .option(
      '--suite <suite>',
      'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
      RUN_DEFAULTS.suite,
    )
    .addOption(shared.exclude())
    .addOption(shared.excludeFile())
    .addOption(shared.excludeGroup())
    .addOption(shared.together())
    .option('--expected <file>', 'failures that are expected, with reasons (YAML)')
    .optionsGroup('Persistent memory and file system:')
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'of each device: 256M, 1G (default: 256M, for xfs 512M)')
    .optionsGroup('Power cuts:')
    .addOption(shared.powerCut())
    .addOption(shared.cuts())
    .addOption(shared.cutStates())
    .optionsGroup('How often and how long:')
    .option(
      '--timeout <time>',
      `for each test: 90, 5m (default: ${RUN_DEFAULTS.timeout}; of xfstests 15m)`,
    )
    .option('--repeat <n>', 'times to run each test', RUN_DEFAULTS.repeat)
    .option('--until-fail', 'repeat until something fails (without --repeat: 1000 times at most)')
    .addOption(shared.seed())
    .optionsGroup('Guests:')
    .addOption(shared.jobs())
    .option('--cpus <n>', 'of each guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .optionsGroup('What is printed and kept:')
    .addOption(shared.keepImages())
    .option('--explain', 'run what fails once more, with write-back traced: why it was not written')
    .optionsGroup('Guests:')
    .addOption(shared.noCheckpoint())
    .optionsGroup('What is printed and kept:')
    .option('--out <dir>', "where the run's directory goes")
    .option('--json', 'the result as JSON on stdout')
    .option('--dry-run', "print QEMU's command line for a guest that is booted, and start none")
    .action(async (fs, tests, options) => {
      const { runCommand } = await import('../commands/run.js');
      await finish(runCommand(fs, tests, options, process.argv.slice(2)));
    });
  document(run, {
    examples: [
      ['daxrepro run ext2 generic/002', 'one test, on the packaged 6.1 kernel'],
      ['daxrepro run xfs -g dax --pmem nvdimm', 'a group of tests, on NVDIMMs'],
      ['daxrepro run ext2 generic/002 --patch fix.patch', 'with a patch, an mbox or a .cocci'],
      ['daxrepro run ext4 generic/002 --kernel debian:6.12 --repeat 20', 'how often it fails'],
      ['daxrepro run ext4 -g power-cut --power-cut', 'what survives power cuts'],
      ['daxrepro run ext4 -g quick --suite ~/xfstests-dev --together', 'tests of real xfstests'],
      ['daxrepro run ext2 generic/002 --json', 'one JSON document on stdout'],
    ],
    details: `
Each test gets a verdict. pass: it ran to its end, DAX was proven in use through the named driver, and
nothing was found. fail: the same, and something was found. invalid: it ran, but not on what was asked
for. notrun: it does not apply here. error: it could not be told.`,
    options: {
      '--kernel':
        "debian:X.Y is Debian's package, fetched once; debsrc:X.Y its source, built whole; src:DIR[@REV] your tree, built whole and not touched; `daxrepro kernel list` shows them",
      '--patch': 'where fs/ext2, fs/ext4 or fs/xfs alone are changed, only that module is built',
      '--pmem':
        'memmap is memory that the kernel takes for persistent; nvdimm has fsdax namespaces; none is two plain disks',
      '--control': "the same tests without DAX, to tell what is DAX's doing",
      '--suite':
        'the tree is packed once for each state it is in; DAXREPRO_XFSTESTS says where the installed one is',
      '--together':
        'each still has a verdict of its own; after a failure the rest gets a new guest',
      '--power-cut':
        'a file system has to keep what fsync, msync and others have promised, whatever of the rest was still in caches; tests of -g power-cut tell what that is, in others sync calls are seen; wants QEMU 10 (`daxrepro setup --power-cut`) and emulation',
      '--cut-states':
        'nothing, and everything, that was not flushed survives in two more; with a seed of its own for each cut',
      '--repeat':
        'each attempt has a guest and a verdict of its own; they are counted, never merged',
      '--seed': 'runs with one seed are alike, not equal: the kernel mixes in its own timings',
      '--keep-images': 'kept as image-*.tar.gz beside the logs, before anything repairs them',
      '--no-checkpoint': 'slower; for what a clone cannot show',
      '--out': 'default: ~/.local/state/daxrepro/runs',
    },
    exitCodes: RUN_EXIT_CODES,
  });
}
