import type { Command } from 'commander';
import { collect, finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro diff`: its arguments and options. */
export function defineDiff(program: Command): void {
  const command = program
    .command('diff')
    .summary('what is different between two runs')
    .description(
      'Compares kept runs: what appeared and what vanished, told by signature, verdicts that changed, failure rates that are told apart, and what got slower than noise explains.',
    )
    .argument(
      '[before]',
      "a run's directory, or the name of one in the default place (default: see below)",
    )
    .argument('[after]', 'the run that is compared with it')
    .option('--before <run>', 'one more run of that side (repeatable)', collect)
    .option('--after <run>', 'one more run of that side (repeatable)', collect)
    .option('--by-kernel', 'compare only what ran on the same --kernel')
    .option('--slower', 'what got slower is worse, too: exit with 1')
    .option('--json', 'the result as JSON on stdout')
    .option('--mail', 'the result as plain text for a mail, under 75 columns')
    .action(async (before, after, options) => {
      const { diffCommand } = await import('../commands/diff.js');
      await finish(Promise.resolve(diffCommand(before, after, options, process.argv.slice(2))));
    });
  document(command, {
    examples: [
      ['daxrepro diff', 'the newest run, and the one before it that ran one of its tests'],
      ['daxrepro diff runs/base runs/v2', 'two runs, of run or compare'],
      ['daxrepro diff mon tue --before sun --after wed', 'several on each side, taken together'],
      ['daxrepro diff base v2 --json', 'for scripts; the exit code is for CI'],
    ],
    details: `Tests are the same by file system, suite, id, kind of persistent memory and variant; where each side
      has but one variant, its name does not matter, so that a run can be compared with one that had --patch.

      Where a side has no verdict, nothing is said to have appeared or vanished. A finding that showed only in some
      attempts is said to be gone only where Fisher's exact test tells it from chance. Durations are compared by
      Mann and Whitney's test at a level of 5 % for all tests together, and a change below 10 % is none; how many
      attempts that takes is said.`,
    options: {
      '--slower':
        'Without it that is only said: how fast a machine is depends on what else it does.',
    },
    exitCodes: [
      ['0', 'nothing got worse'],
      [
        '1',
        'something did: a test fails that did not, has a serious finding (not a notice) that it had not, or fails more often than chance explains; a failing test that was not there before is worse, too',
      ],
      ['2', 'wrong usage, or no such run'],
      [
        '3',
        'nothing is known to be worse, but a test that had a verdict has none now, or nothing has one on both sides',
      ],
    ],
  });
}
