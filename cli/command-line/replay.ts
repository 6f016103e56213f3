import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro replay`: its arguments and options. */
export function defineReplay(program: Command): void {
  const command = program
    .command('replay')
    .summary('run a kept run again: does it agree?')
    .description(
      'Runs the units of a kept run, or of a bundle, again, from the inputs that were kept with it, and says whether verdicts and findings are the same.',
    )
    .argument(
      '[run]',
      'a run, a bundle, or one unit of it: RUN#2 (default: the newest that has inputs)',
    )
    .option('--repeat <n>', 'run each unit so often: for failures that show only in some runs')
    .option('--kernel <spec>', 'another kernel than was recorded')
    .option('--suite <dir>', 'the xfstests tree, where it is not where it was')
    .option('--trust', "a bundle's changes may run programs on this machine when they are built")
    .addOption(shared.jobs())
    .addOption(shared.accel())
    .addOption(shared.keepImages())
    .addOption(shared.noCheckpoint())
    .option('--out <dir>', "where the replay's own directory goes")
    .option('--json', 'the result as JSON on stdout')
    .action(async (run, options) => {
      const { replayCommand } = await import('../commands/replay.js');
      await finish(replayCommand(run, options, process.argv.slice(2)));
    });
  document(command, {
    examples: [
      ['daxrepro replay', 'the newest run, all of its units'],
      ['daxrepro replay 20261122-145501-ext2-generic-002-25812', 'a run by its name'],
      ['daxrepro replay runs/night#3 --repeat 20', 'its third unit, twenty times'],
      ['daxrepro replay bug.tar.gz', 'what somebody sent: see daxrepro bundle'],
    ],
    details: `Each run keeps its inputs in its directory, in inputs/: copies of patches and fragments with their
      hashes, options, seeds, and which kernel it was. What is run again is these copies, whatever became of the
      files since. What is not as it was then (kernel, modules, QEMU, e2fsprogs, xfsprogs, the xfstests tree, the
      host) is said before anything runs, and in the result.

      A replay agrees where it has the same verdict and the same signatures of findings; notices do not count. Of
      several attempts: where no signature is new, none is missing that was always there, and the failure rates are
      not told apart by Fisher's exact test. It cannot be told where the replay has no verdict, or has too few
      attempts for a failure that showed only in some.`,
    options: {
      '--trust':
        'Without it a bundle is refused that changes anything but .c and .h files of ext2, ext4 and xfs, has a semantic patch with a script, or has part of a configuration.',
    },
    exitCodes: [
      ['0', 'everything agrees'],
      ['1', 'something differs'],
      ['2', 'wrong usage, no such run, or one whose inputs are not as they were kept'],
      ['3', 'nothing differs, but of something it cannot be told'],
      ['130', 'interrupted'],
    ],
  });
}
