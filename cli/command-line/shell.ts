import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro shell`: its arguments and options. */
export function defineShell(program: Command): void {
  const shell = program
    .command('shell')
    .summary('a guest to work in')
    .description(
      'A shell in a guest, with the file system mounted with DAX and proven so; afterwards the check and the verdict that a test gets.',
    )
    .argument('[fs]', 'ext2, ext4 or xfs; with --from as its unit')
    .optionsGroup('What is run:')
    .option('--run <command>', 'run this by bash, without a terminal, in place of a shell')
    .option('--from <run>', "look at a failing unit's image: a run, RUN#N, or a unit's folder")
    .option('--suite <suite>', "with this xfstests tree in place, as run's", RUN_DEFAULTS.suite)
    .option('--timeout <time>', 'end the command after this: 90, 5m (default: never)')
    .optionsGroup('Debugger:')
    .option('--gdb [where]', "QEMU's gdb stub: a socket, or a port of 127.0.0.1, or a path")
    .option('--gdb-wait', 'stop before the module is loaded, until gdb continues')
    .optionsGroup('Kernel:')
    .option('--kernel <spec>', 'as for run', RUN_DEFAULTS.kernel)
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .option(
      '--patch <file>',
      'a patch, an mbox or a .cocci, applied in order (repeatable)',
      collect,
    )
    .option('--steps <n>', 'only the first n patches of those files')
    .optionsGroup('Persistent memory and file system:')
    .addOption(shared.pmem())
    .addOption(shared.control())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .option('--size <size>', 'of each device: 256M, 1G (default: 256M, for xfs 512M)')
    .optionsGroup('Guests:')
    .option('--cpus <n>', 'of the guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .option('--no-checkpoint', 'boot the guest instead of cloning one that was booted before')
    .optionsGroup('What is printed and kept:')
    .addOption(shared.keepImages())
    .option('--out <dir>', "where the session's directory goes")
    .option('--json', 'with --run: the result as JSON on stdout, what the command writes on stderr')
    .action(async (fs, options, command: Command) => {
      const { shellCommand } = await import('../commands/shell.js');
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      await finish(shellCommand(fs, options, given, process.argv.slice(2)));
    });
  document(shell, {
    examples: [
      ['daxrepro shell ext2', 'a shell in the packaged 6.1 kernel'],
      ['daxrepro shell ext4 --patch fix.patch --kernel debian:6.12', 'with your change'],
      ['daxrepro shell xfs --run \'xfs_io -c "statx -r" $TEST_DIR\'', 'one command, and a verdict'],
      ['daxrepro shell --from RUN#2', 'the image that the second test of a run left'],
      ['daxrepro shell ext2 --gdb --gdb-wait', 'a debugger, from before the module is loaded'],
      ['daxrepro shell ext4 --suite ~/xfstests-dev', 'with ./check of an xfstests tree'],
    ],
    details: `
Both devices are made and mounted: TEST_DEV on TEST_DIR, and SCRATCH_DEV on SCRATCH_MNT, which --suite
leaves to the tests. The guest has programs of this machine: bash, xfs_io,
debugfs, and where they are here an editor, less, strace, perf and others.

exit, or Ctrl-D, ends it: what still runs is killed, both file systems are unmounted and checked, and
there is a verdict. pass: DAX was proven before and after, and nothing was found. What an interactive
shell ends with does not count; of --run an exit code other than 0 is a failure, but for 126 and 127,
where the command was not run at all. Ctrl-] three times within a second ends the guest at once, whatever it does; then there
is no verdict.

With --from nothing is made, mounted or checked: the devices hold copies of the images. There is no
verdict, and the exit code is 0, or 1 where that of --run is another.`,
    options: {
      '--run': 'stdin goes to it; its stdout and stderr are ours, and nothing else comes on stdout',
      '--from':
        'the kernel, the changes and the devices are those of the unit, where nothing else is said',
      '--gdb':
        'the socket is in a directory that only you can enter; the command for gdb is printed, with the symbols that there are',
    },
    exitCodes: [
      ['0', 'pass: nothing was found'],
      ['1', 'fail: something was found, or the command of --run failed'],
      ['2', 'wrong usage or configuration, with the place and the fix'],
      ['3', 'no verdict (invalid, error)'],
      ['130', 'interrupted, or left by Ctrl-]'],
    ],
  });
}
