import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro fsck`: its arguments and options. */
export function defineFsck(program: Command): void {
  const fsck = program
    .command('fsck')
    .summary('show the findings in an e2fsck or xfs_repair log')
    .description('Reads a log of e2fsck or xfs_repair, or an xfstests .full file.')
    .argument('<log>', 'a file, or - for stdin')
    .option('--json', 'print JSON on stdout')
    .action(async (log, options) => {
      const { fsckCommand } = await import('../commands/fsck.js');
      await finish(fsckCommand(log, options));
    });
  document(fsck, {
    examples: [
      ['daxrepro fsck e2fsck.log', 'a log from anywhere'],
      ['daxrepro fsck results/generic/475.full', 'the output that xfstests kept of a test'],
      ['e2fsck -fn /dev/pmem0 | daxrepro fsck -', 'from a pipe'],
      ['daxrepro fsck e2fsck.log --json', 'the findings with their signatures, for scripts'],
    ],
    exitCodes: [
      ['0', 'the log is clean'],
      ['1', 'the log has findings'],
      ['2', 'not a log of e2fsck or xfs_repair'],
    ],
  });
}
