import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro list`: its arguments and options. */
export function defineList(program: Command): void {
  const list = program
    .command('list')
    .summary('list the tests and their groups')
    .description(
      'Lists the tests of a suite. For xfstests, a file system as the first word lists the tests that run on it.',
    )
    .argument('[test...]', 'only these tests')
    .option(
      '--suite <suite>',
      'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
      RUN_DEFAULTS.suite,
    )
    .addOption(shared.suitePatch())
    .addOption(shared.exclude())
    .addOption(shared.excludeFile())
    .addOption(shared.excludeGroup())
    .option('-g, --group <group>', 'only the tests of a group (repeatable)', collect)
    .option('--json', 'print JSON on stdout')
    .action(async (tests, options) => {
      const { listCommand } = await import('../commands/list.js');
      await finish(listCommand(tests, options));
    });
  document(list, {
    examples: [
      ['daxrepro list', 'the built-in tests'],
      ['daxrepro list -g dax', 'the tests of a group'],
      ['daxrepro list ext4 -g dax --suite ~/xfstests-dev', 'what a run of xfstests would run'],
    ],
    exitCodes: [
      ['0', 'the tests were listed'],
      ['2', 'no test or group has this name, or the suite does not exist'],
    ],
  });
}
