import type { Command } from 'commander';
import { collect, finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro diff`: its arguments and options. */
export function defineDiff(program: Command): void {
  const command = program
    .command('diff')
    .summary('show what differs between two runs')
    .description(
      'Compares runs: which findings appeared or vanished (by signature), which verdicts changed, and which failure rates and durations changed significantly.',
    )
    .argument('[before]', 'a run directory or the name of a run (default: see the examples)')
    .argument('[after]', 'the run to compare with it')
    .option('--before <run>', 'add a run to the first side (repeatable)', collect)
    .option('--after <run>', 'add a run to the second side (repeatable)', collect)
    .option('--by-kernel', 'compare only tests that ran on the same --kernel')
    .option('--slower', 'a slower test counts as worse: exit with 1')
    .option('--json', 'print the result as JSON on stdout')
    .option('--mail', 'print the result as plain text for mail, in less than 75 columns')
    .action(async (before, after, options) => {
      const { diffCommand } = await import('../commands/diff.js');
      await finish(Promise.resolve(diffCommand(before, after, options, process.argv.slice(2))));
    });
  document(command, {
    examples: [
      ['daxrepro diff', 'the newest run against the latest earlier run of one of its tests'],
      ['daxrepro diff runs/base runs/v2', 'two runs, of run or compare'],
      ['daxrepro diff mon tue --before sun --after wed', 'several runs on each side, combined'],
      ['daxrepro diff base v2 --json', 'for scripts; the exit code is for CI'],
    ],
    details: `Tests are matched by file system, suite, id, kind of persistent memory and variant. If each side has
      only one variant, its name is ignored, so that you can compare a run with one that used --patch.

      If a side has no verdict, no finding is reported as appeared or vanished. A finding that showed in only some
      attempts is reported as gone only if Fisher's exact test rules out chance. Durations are compared with the
      Mann-Whitney test at a level of 5 % for all tests together, and changes below 10 % are ignored. If there are
      too few attempts, the output says how many it takes.`,
    options: {
      '--slower':
        'without it slower tests are only listed, since speed depends on the load of the machine',
    },
    exitCodes: [
      ['0', 'nothing got worse'],
      [
        '1',
        'something got worse: a test fails that did not fail before, has a new serious finding (not a notice), or fails significantly more often; a new test that fails counts too',
      ],
      ['2', 'wrong usage, or no such run'],
      [
        '3',
        'nothing is known to be worse, but a test lost its verdict, or no test has a verdict on both sides',
      ],
    ],
  });
}
