import type { Command } from 'commander';
import { finish } from './define.js';

/** `daxrepro fsck`: its arguments and options. */
export function defineFsck(program: Command): void {
  program
    .command('fsck')
    .summary('the findings in an e2fsck or xfs_repair log')
    .description(
      'Reads a log of e2fsck or xfs_repair, or an xfstests .full file.\nExits with 0 where it is clean, 1 where it has findings, 2 where it is no such log.',
    )
    .argument('<log>', 'a file, or - for stdin')
    .option('--json', 'as JSON on stdout')
    .action(async (log, options) => {
      const { fsckCommand } = await import('../commands/fsck.js');
      await finish(fsckCommand(log, options));
    });
}
