import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro history`: its arguments and options. */
export function defineHistory(program: Command): void {
  const history = program
    .command('history')
    .summary('show many runs over time: failures, rates, what is new')
    .description(
      'Shows the results of every test in all runs of a directory: the first and the last failure, the failure rate with its 95 % interval, and what the newest run changed.',
    )
    .argument(
      '[dir]',
      'the directory that holds the directories of runs (default: that of all runs)',
    )
    .option('--last <n>', 'take only the newest n runs')
    .option('--by-kernel', 'list a test once for each --kernel that it ran on')
    .option('--output <file>', 'write to this file; FILE.html becomes a page for a browser')
    .option('--json', 'print the history as JSON')
    .action(async (directory, options) => {
      const { historyCommand } = await import('../commands/history.js');
      await finish(Promise.resolve(historyCommand(directory, options, process.argv.slice(2))));
    });
  document(history, {
    examples: [
      ['daxrepro history', 'the runs of this machine, as text'],
      ['daxrepro history --output history.html', 'one static page, failing tests first'],
      ['daxrepro history /srv/nightly --last 30 --output nightly.html', 'the last 30 nights'],
      ['daxrepro history runs --by-kernel --json', 'for scripts'],
    ],
    details: `A test is the same in two runs if file system, suite, id, variant, persistent memory, power cuts and
      --control are the same. Sessions of the shell and bisections are not counted.

      A directory without a whole result.json is named with the reason, and never counted: that of a run that is still
      going or was killed, one whose verdict does not fit its units, a copy of another run, or anything else.`,
    exitCodes: [
      ['0', 'the history was written, whatever the results are'],
      ['2', 'the directory has no runs, or the file cannot be written'],
    ],
  });
}
