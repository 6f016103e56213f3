import { type Command, Option } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro cache`: its arguments and options. */
export function defineCache(program: Command): void {
  const cache = program
    .command('cache')
    .summary('what is in the cache')
    .description('Lists and cleans the cache of kernels, modules and guest images.');
  const list = cache
    .command('list')
    .summary('the entries, with their sizes')
    .description('Lists the entries with their sizes and when they were last used.')
    .option('--json', 'as JSON on stdout')
    .action(async (options) => {
      const { cacheListCommand } = await import('../commands/cache.js');
      await finish(cacheListCommand(options));
    });
  const clean = cache
    .command('clean')
    .summary('remove what is not used')
    .description('Removes what was not used for a while, and what killed runs left behind.')
    .option('--all', 'remove everything that nobody uses just now')
    .addOption(new Option('--older-than <days>', 'not used for so many days').default('30'))
    .option('--dry-run', 'only say what would be removed')
    .action(async (options) => {
      const { cacheCleanCommand } = await import('../commands/cache.js');
      await finish(cacheCleanCommand(options));
    });
  document(cache, {
    examples: [
      ['daxrepro cache list', 'what takes the space'],
      ['daxrepro cache clean', 'remove what was not used for 30 days'],
    ],
  });
  document(list, { examples: [['daxrepro cache list', 'what takes the space']] });
  document(clean, {
    examples: [
      ['daxrepro cache clean --dry-run', 'only say what would be removed'],
      ['daxrepro cache clean --older-than 7', 'what was not used for a week'],
      ['daxrepro cache clean --all', 'everything that nobody uses just now'],
    ],
  });
}
