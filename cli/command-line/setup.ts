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
    .option('--power-cut', 'also the QEMU that power cuts need, 13 MB, where the own one is older')
    .action(async (options) => {
      const { setupCommand } = await import('../commands/setup.js');
      await finish(setupCommand(options));
    });
  document(setup, {
    examples: [
      ['daxrepro setup', 'as the first run does it'],
      ['daxrepro setup --power-cut', 'for power cuts too: QEMU 10, beside your own'],
      ['daxrepro setup --dry-run', 'only say what would be installed'],
    ],
    exitCodes: [
      ['0', 'everything is there'],
      ['3', 'it could not be installed, and why'],
    ],
  });
}
