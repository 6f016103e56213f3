import { type Command, Option } from 'commander';
import { finish } from './define.js';
import { document } from './manual.js';

/** `daxrepro cache`: its arguments and options. */
export function defineCache(program: Command): void {
  const cache = program
    .command('cache')
    .summary('list or clean the cache')
    .description('Lists and cleans the cache of kernels, modules and guest images.');
  const list = cache
    .command('list')
    .summary('list the entries and their sizes')
    .description('Lists the entries, their sizes, and when each was last used.')
    .option('--json', 'print JSON on stdout')
    .action(async (options) => {
      const { cacheListCommand } = await import('../commands/cache.js');
      await finish(cacheListCommand(options));
    });
  const clean = cache
    .command('clean')
    .summary('remove old entries')
    .description('Removes entries that were not used for a while, and leftovers of killed runs.')
    .option('--all', 'remove every entry that is not in use right now')
    .addOption(new Option('--older-than <days>', 'remove entries unused for n days').default('30'))
    .option('--dry-run', 'only print what would be removed')
    .action(async (options) => {
      const { cacheCleanCommand } = await import('../commands/cache.js');
      await finish(cacheCleanCommand(options));
    });
  document(cache, {
    examples: [
      ['daxrepro cache list', 'show what takes the space'],
      ['daxrepro cache clean', 'remove entries unused for 30 days'],
    ],
  });
  document(list, { examples: [['daxrepro cache list', 'show what takes the space']] });
  document(clean, {
    examples: [
      ['daxrepro cache clean --dry-run', 'only print what would be removed'],
      ['daxrepro cache clean --older-than 7', 'remove entries unused for a week'],
      ['daxrepro cache clean --all', 'remove every entry that is not in use'],
    ],
  });
}
