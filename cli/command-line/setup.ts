import type { Command } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro setup`: its arguments and options. */
export function defineSetup(program: Command): void {
  const setup = program
    .command('setup')
    .summary('install missing packages')
    .description('Lists the missing system packages, then installs them.')
    .option('--dry-run', 'only print what would be installed')
    .option(
      '--power-cut',
      "also install QEMU 10 for power cuts, 13 MB, if this machine's QEMU is older",
    )
    .option(
      '--cxl',
      "also install what --pmem cxl needs: the program cxl, and Debian's newest QEMU if this machine's is older than 11",
    )
    .action(async (options) => {
      const { setupCommand } = await import('../commands/setup.js');
      await finish(setupCommand(options));
    });
  document(setup, {
    examples: [
      ['daxrepro setup', 'the same setup that the first run does'],
      ['daxrepro setup --power-cut', 'also for power cuts: QEMU 10, beside your own'],
      ['daxrepro setup --cxl', 'also for CXL memory: the program cxl, and a QEMU beside your own'],
      ['daxrepro setup --dry-run', 'only print what would be installed'],
    ],
    exitCodes: [
      ['0', 'everything is installed'],
      ['3', 'something could not be installed; the message says why'],
    ],
  });
}
