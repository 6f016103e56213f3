import type { Command } from 'commander';
import { FORMATS } from '../report/formats.js';
import { finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro report`: its arguments and options. */
export function defineReport(program: Command): void {
  const report = program
    .command('report')
    .summary('show results again: for a browser, mail, a pull request, CI')
    .description(
      'Shows the results of runs, comparisons and bisections again, from their directories. Several runs\nbecome one matrix, with a column for each kernel and each set of changes.',
    )
    .argument(
      '[run...]',
      'run directories or names of runs (default: the newest one that is not a shell session)',
    )
    .option('--format <format>', `${FORMATS.join(', ')} (default: by the extension of --output)`)
    .option('--output <file>', 'write to this file instead of stdout')
    .option('--origin <name>', 'for kcidb: the name of your CI system there (default: daxrepro)')
    .option(
      '--artifacts-url <url>',
      "for kcidb: where you publish the runs' directories (default: their file: URLs)",
    )
    .addOption(shared.replyTo())
    .addOption(shared.inReplyTo())
    .action(async (runs, options) => {
      const { reportCommand } = await import('../commands/report.js');
      await finish(reportCommand(runs, options));
    });
  document(report, {
    examples: [
      ['daxrepro report', 'the newest run, as it was printed'],
      ['daxrepro report before/* after/* --format mail', 'several runs, side by side'],
      [
        'daxrepro report --reply-to bug.eml --output reply.eml',
        'a reply to a saved mail, for git send-email or mutt -H',
      ],
      [
        'daxrepro report --format kcidb --origin myci > report.json',
        'for KernelCI; nothing is sent',
      ],
      ['daxrepro report --output report.html', 'one file for a browser, by its extension'],
    ],
    exitCodes: [
      ['0', 'the report was written, whatever the results are'],
      ['2', 'there is no such run, or the file cannot be written'],
    ],
  });
}
