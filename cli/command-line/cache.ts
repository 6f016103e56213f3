import { type Command, Option } from 'commander';
import { finish } from './define.js';

/** `daxrepro cache`: its arguments and options. */
export function defineCache(program: Command): void {
  const cache = program
    .command('cache')
    .summary('what is in the cache')
    .description('Lists and cleans the cache of kernels, modules and guest images.');
  cache
    .command('list')
    .description('Lists the entries with their sizes and when they were last used.')
    .option('--json', 'as JSON on stdout')
    .action(async (options) => {
      const { cacheListCommand } = await import('../commands/cache.js');
      await finish(cacheListCommand(options));
    });
  cache
    .command('clean')
    .description('Removes what was not used for a while, and what killed runs left behind.')
    .option('--all', 'remove everything that nobody uses just now')
    .addOption(new Option('--older-than <days>', 'not used for so many days').default('30'))
    .option('--dry-run', 'only say what would be removed')
    .action(async (options) => {
      const { cacheCleanCommand } = await import('../commands/cache.js');
      await finish(cacheCleanCommand(options));
    });
}
