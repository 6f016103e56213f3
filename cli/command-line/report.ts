import type { Command } from 'commander';
import { FORMATS } from '../report/formats.js';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro report`: its arguments and options. */
export function defineReport(program: Command): void {
  const report = program
    .command('report')
    .summary('show results again: for a browser, a mail, a pull request, CI')
    .description(
      'Shows what runs, comparisons and bisections came to, from the directories that they left. Several\nruns become one matrix: what differs in its kernel or its changes has a column of its own.',
    )
    .argument(
      '[run...]',
      "runs' directories, or their names (default: the newest that is no session of shell)",
    )
    .option('--format <format>', `${FORMATS.join(', ')} (default: by the name of --output)`)
    .option('--output <file>', 'write it there, in place of stdout')
    .action(async (runs, options) => {
      const { reportCommand } = await import('../commands/report.js');
      await finish(reportCommand(runs, options));
    });
  document(report, {
    examples: [
      ['daxrepro report', 'the newest run, as it was printed'],
      ['daxrepro report before/* after/* --format mail', 'several runs, side by side'],
      ['daxrepro report --output report.html', 'one file for a browser; the name says the format'],
    ],
    exitCodes: [
      ['0', 'there is a report, whatever it says'],
      ['2', 'there is no such run, or the file cannot be written'],
    ],
  });
}
