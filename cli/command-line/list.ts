import type { Command } from 'commander';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { collect, finish } from './define.js';
import { document } from './manual.js';
import { shared } from './shared-options.js';

/** `daxrepro list`: its arguments and options. */
export function defineList(program: Command): void {
  const list = program
    .command('list')
    .summary('the tests, with their groups')
    .description(
      "Lists the tests of the suite. Of xfstests', those of a file system, where it is named first.",
    )
    .argument('[test...]', 'only these')
    .option(
      '--suite <suite>',
      'builtin, the directory of a built xfstests tree, or xfstests (the installed one)',
      RUN_DEFAULTS.suite,
    )
    .addOption(shared.exclude())
    .addOption(shared.excludeFile())
    .addOption(shared.excludeGroup())
    .option('-g, --group <group>', 'only those of a group (repeatable)', collect)
    .option('--json', 'as JSON on stdout')
    .action(async (tests, options) => {
      const { listCommand } = await import('../commands/list.js');
      await finish(listCommand(tests, options));
    });
  document(list, {
    examples: [
      ['daxrepro list', 'the built-in tests'],
      ['daxrepro list -g dax', 'those of a group'],
      ['daxrepro list ext4 -g dax --suite ~/xfstests-dev', 'what a run of xfstests would run'],
    ],
    exitCodes: [
      ['0', 'listed'],
      ['2', 'nothing has such a name or group, or the suite is none'],
    ],
  });
}
