import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro log`: its arguments and options. */
export function defineLog(program: Command): void {
  const log = program
    .command('log')
    .summary('show the findings in a kernel log')
    .description(
      'Reads a kernel log: dmesg in any form, a journal, syslog, a serial console, or a mail that quotes one.',
    )
    .argument('<log>', 'a file, or - for stdin')
    .option('--json', 'print JSON on stdout')
    .action(async (log, options) => {
      const { logCommand } = await import('../commands/log.js');
      await finish(logCommand(log, options));
    });
  document(log, {
    examples: [
      ['daxrepro log console.txt', 'a log from anywhere'],
      ['dmesg | daxrepro log -', 'from a pipe'],
      ['journalctl -k -b -1 | daxrepro log -', 'the boot before this one'],
      ['daxrepro log dmesg.txt --json', 'the findings with their signatures, for scripts'],
    ],
    exitCodes: [
      ['0', 'the log is clean: no findings but notices'],
      ['1', 'the log has findings, or the kernel dropped lines of it'],
      ['2', 'not a kernel log'],
    ],
  });
}
