import type { Command } from 'commander';
import { finish } from './define.js';

/** `daxrepro setup`: its arguments and options. */
export function defineSetup(program: Command): void {
  program
    .command('setup')
    .summary('install what is missing')
    .description('Installs the system packages that are missing, after naming them.')
    .option('--dry-run', 'only say what would be installed')
    .action(async (options) => {
      const { setupCommand } = await import('../commands/setup.js');
      await finish(setupCommand(options));
    });
}
