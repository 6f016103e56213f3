import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro replay`: its arguments and options. */
export function defineReplay(program: Command): void {
  const command = program
    .command('replay')
    .summary('run a run or a bundle again, and compare the results')
    .description(
      'Runs the units of a run or a bundle again, from the inputs stored with it, and says whether verdicts and findings are the same.',
    )
    .argument(
      '[run]',
      'a run, a bundle, or one unit of it: RUN#2 (default: the newest run with inputs)',
    )
    .option('--failures', 'only units that failed or had no verdict')
    .option('--repeat <n>', 'run each unit n times, for failures that show only in some runs')
    .option('--kernel <spec>', 'use this kernel instead of the recorded one')
    .option('--suite <dir>', 'the xfstests tree, if it has moved')
    .option('--exact', 'replay the recorded execution instruction by instruction (run --record)')
    .option('--gdb [where]', 'with --exact: stop for gdb, on a new socket, a port, or a path')
    .option(
      '--at <point>',
      "with --gdb: end, count:N, console:'TEXT', step:NAME or finding (default: end)",
    )
    .option(
      '--who-wrote <byte>',
      'with --exact: who stored to a byte last: 0xADDRESS, BLOCK[:BYTE] or FILE:OFFSET',
    )
    .option('--qemu <program>', 'with --exact: where the QEMU is that recorded, if it has moved')
    .option('--trust', "allow a bundle's changes to run programs on this machine while they build")
    .addOption(shared.jobs())
    .addOption(shared.accel())
    .addOption(shared.keepImages())
    .addOption(shared.noCheckpoint())
    .option('--out <dir>', "directory for the replay's directory")
    .option('--json', 'print the result as JSON on stdout')
    .action(async (run, options) => {
      const { replayCommand } = await import('../commands/replay.js');
      await finish(replayCommand(run, options, process.argv.slice(2)));
    });
  document(command, {
    examples: [
      ['daxrepro replay', 'all units of the newest run'],
      ['daxrepro replay 20261122-145501-ext2-generic-002-25812', 'a run by its name'],
      ['daxrepro replay runs/night#3 --repeat 20', 'its third unit, twenty times'],
      ['daxrepro replay runs/night#3 --exact', 'exactly as it was recorded with --record'],
      [
        'daxrepro replay runs/night#3 --exact --gdb --at step:unmount',
        'in gdb, before the unmount',
      ],
      [
        'daxrepro replay runs/night#3 --exact --who-wrote 523',
        'who stored to block 523, and whether it was copied to the medium',
      ],
      ['daxrepro replay bug.tar.gz', 'a bundle that somebody sent: see daxrepro bundle'],
    ],
    details: `Each run stores its inputs in its inputs/ directory: copies of patches and configuration fragments
      with their hashes, options, seeds, and the kernel's identity. Replay uses these copies, even if the original
      files have changed. Anything else that differs now (kernel, modules, QEMU, e2fsprogs, xfsprogs, the xfstests
      tree, the host) is printed before the first unit runs, and recorded in the result.

      A replay agrees if it has the same verdict and the same finding signatures; notices do not count. With
      several attempts it agrees if no signature is new, no signature is missing that showed every time, and
      Fisher's exact test finds no difference between the failure rates. There is no answer if the replay has no
      verdict, or too few attempts for a failure that showed only in some.

      With --exact the unit must have been recorded (daxrepro run --record). Nothing is built and nothing varies:
      QEMU executes the recorded instructions again. A replay is called exact only if console, events and files
      of the guest and the number of instructions are the same; else the first difference is printed. A record
      that was changed, or that another QEMU wrote, is not replayed.

      --who-wrote prints function, process, moment and callers of the last stores to a byte. For a block of TEST_DEV
      or a file on it, these are the stores to the kernel's buffers of the block and to its place on the medium, and
      whether what was stored in memory was copied to the medium after that. Needs a record of QEMU 10.0 or newer
      (daxrepro setup --power-cut).`,
    options: {
      '--trust':
        'without it, a bundle is refused if it changes anything but .c and .h files of ext2, ext4 and xfs, or contains a semantic patch with a script or a configuration fragment',
    },
    exitCodes: [
      ['0', 'every unit agrees; with --exact: every replay is exact'],
      ['1', 'at least one unit or exact replay differs'],
      ['2', 'wrong usage, no such run, or its inputs have changed since it ran'],
      ['3', 'no unit differs, but for at least one there is no answer'],
      ['130', 'interrupted'],
    ],
  });
}
