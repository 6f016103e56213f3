import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { finish } from './define.js';
import { document, type Manual, USAGE_EXIT_CODE } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro shell`: its arguments and options. */
export function defineShell(program: Command): void {
  const shell = program
    .command('shell')
    .summary('work in a guest')
    .description(
      'Opens a shell in a guest with the file system mounted and DAX proven in use. When you leave, the file system is checked and the session gets a verdict, like a test.',
    )
    .argument('[fs]', 'ext2, ext4 or xfs (with --from: default is the file system of that unit)');
  sessionOptions(shell);
  kernelOptions(shell);
  deviceOptions(shell);
  shell
    .optionsGroup('Guests:')
    .option('--cpus <n>', 'CPUs of the guest', RUN_DEFAULTS.cpus)
    .addOption(shared.accel())
    .addOption(shared.qemu())
    .addOption(shared.userland())
    .addOption(shared.e2fsprogs())
    .addOption(shared.xfsprogs())
    .option('--no-checkpoint', 'boot the guest instead of cloning one that has booted')
    .optionsGroup('Output:')
    .addOption(shared.keepImages())
    .option('--out <dir>', "directory for the session's directory")
    .option('--json', 'with --run: print the result on stdout, and all command output on stderr')
    .action(async (fs, options, command: Command) => {
      const { shellCommand } = await import('../commands/shell.js');
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      await finish(shellCommand(fs, options, given, process.argv.slice(2)));
    });
  document(shell, MANUAL);
}

function sessionOptions(shell: Command): void {
  shell
    .optionsGroup('Session:')
    .option('--run <command>', 'run a bash command instead of a shell, without a terminal')
    .option('--from <run>', 'open the image of a failed unit: a run, RUN#N, or a unit directory')
    .option(
      '--suite <suite>',
      'install this xfstests tree in the guest, as for run',
      RUN_DEFAULTS.suite,
    )
    .addOption(shared.suitePatch())
    .option('--timeout <time>', 'end the session after this time: 90, 5m (default: never)')
    .optionsGroup('Debugger:')
    .option('--gdb [where]', "QEMU's gdb stub: on a new socket, a port of 127.0.0.1, or a path")
    .option('--gdb-wait', 'stop before the module is loaded, until gdb continues');
}

function kernelOptions(shell: Command): void {
  shell
    .optionsGroup('Kernel:')
    .option('--kernel <spec>', 'as for run', RUN_DEFAULTS.kernel)
    .addOption(shared.cc())
    .addOption(shared.kconfig())
    .addOption(shared.patch())
    .addOption(shared.steps());
}

function deviceOptions(shell: Command): void {
  shell
    .optionsGroup('Persistent memory and file system:')
    .addOption(shared.pmem())
    .addOption(shared.partition())
    .addOption(shared.stack())
    .addOption(shared.poison())
    .addOption(shared.control())
    .addOption(shared.mountOpts())
    .addOption(shared.mkfsOpts())
    .addOption(shared.logDevice())
    .addOption(shared.rtDevice())
    .addOption(shared.logwrites())
    .option('--size <size>', 'size of each device: 256M, 1G (default: 256M; 512M for xfs)');
}

const MANUAL: Manual = {
  examples: [
    ['daxrepro shell ext2', 'a shell on the packaged 6.1 kernel'],
    ['daxrepro shell ext4 --patch fix.patch --kernel debian:6.12', 'with your change'],
    ['daxrepro shell xfs --run \'xfs_io -c "statx -r" $TEST_DIR\'', 'one command, and a verdict'],
    ['daxrepro shell --from RUN#2', 'the image left by the second test of a run'],
    ['daxrepro shell ext2 --gdb --gdb-wait', 'a debugger, from before the module is loaded'],
    ['daxrepro shell ext4 --suite ~/xfstests-dev', 'with ./check of an xfstests tree'],
  ],
  details: `
Both devices are formatted and mounted: TEST_DEV on TEST_DIR, and SCRATCH_DEV on SCRATCH_MNT. With
--suite, SCRATCH_DEV is left to the tests. The guest has programs from this machine: bash, xfs_io,
debugfs and, if installed, an editor, less, strace, perf and others.

exit or Ctrl-D ends the session. Remaining processes are killed, both file systems are unmounted and
checked, and the session gets a verdict. pass: DAX was proven before and after, and nothing was found.
The exit status of an interactive shell does not count. With --run, an exit code other than 0 is a
failure, except 126 and 127: the command was not run, so there is no verdict. Pressing Ctrl-] three
times within a second kills the guest at once; there is no verdict then.

With --from nothing is formatted, mounted or checked: the devices hold copies of the images. There is
no verdict. The exit code is 0, or 1 if the --run command fails.`,
  options: {
    '--run':
      'the command reads our stdin and writes to our stdout and stderr; nothing else is printed on stdout',
    '--from': 'kernel, changes and devices are those of the unit unless you give other ones',
    '--gdb':
      'the default socket is in a directory that only you can enter; the gdb command is printed, with the symbol files that exist',
  },
  exitCodes: [
    ['0', 'pass: nothing was found'],
    ['1', 'fail: something was found, or the --run command failed'],
    USAGE_EXIT_CODE,
    ['3', 'no verdict (invalid, error)'],
    ['130', 'interrupted, or left by Ctrl-]'],
  ],
};
