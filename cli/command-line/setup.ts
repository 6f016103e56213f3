import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro setup`: its arguments and options. */
export function defineSetup(program: Command): void {
  const setup = program
    .command('setup')
    .summary('install what is missing')
    .description('Installs the system packages that are missing, after naming them.')
    .option('--dry-run', 'only say what would be installed')
    .action(async (options) => {
      const { setupCommand } = await import('../commands/setup.js');
      await finish(setupCommand(options));
    });
  document(setup, {
    examples: [
      ['daxrepro setup', 'as the first run does it'],
      ['daxrepro setup --dry-run', 'only say what would be installed'],
    ],
    exitCodes: [
      ['0', 'everything is there'],
      ['3', 'it could not be installed, and why'],
    ],
  });
}
