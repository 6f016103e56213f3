import { EXIT, exitCodeOf, failure, formatFailure } from '../outcome.js';
import { withPatience } from '../report/patience.js';
import { cleanStore } from '../store/clean.js';
import { defaultStore, type Entry, listEntries, type Store } from '../store/store.js';
import { formatBytes } from '../words.js';

/** `daxrepro cache list` and `cache clean`. */

export interface CacheCommandContext {
  store?: Store;
  print?: (text: string) => void;
  printError?: (text: string) => void;
}

/** `cache list`: prints the entries, their sizes, and when each was last used. */
export async function cacheListCommand(
  { json = false }: { json?: boolean },
  context: CacheCommandContext = {},
): Promise<number> {
  const { store, print } = complete(context);
  const entries = await withPatience(
    () => `measuring ${store.root}`,
    () => listEntries(store),
  );
  const size = total(entries);
  if (json) {
    print(JSON.stringify({ schemaVersion: 1, root: store.root, size, entries }, null, 2));
    return EXIT.ok;
  }
  for (const entry of entries) print(describe(entry));
  const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
  print(`${formatBytes(size)} in ${count} below ${store.root}`);
  return EXIT.ok;
}

export interface CacheCleanOptions {
  /** Remove every entry that is not in use. */
  all?: boolean;
  /** Remove entries unused for this many days. Default: 30. */
  olderThan?: number | string;
  /** Print what would be removed, and remove nothing. */
  dryRun?: boolean;
}

const DAY = 24 * 60 * 60 * 1000;

/** `cache clean`: removes old entries. A run that needs a removed entry makes it again. */
export async function cacheCleanCommand(
  { all = false, olderThan, dryRun = false }: CacheCleanOptions,
  context: CacheCommandContext = {},
): Promise<number> {
  const { store, print, printError } = complete(context);
  const days = Number(olderThan ?? 30);
  if (!/^\d+(\.\d+)?$/.test(String(olderThan ?? 30))) {
    const wrong = failure(
      'usage',
      `--older-than takes a number of days, not "${olderThan}"`,
      'For example --older-than 7',
    ).failure;
    printError(formatFailure(wrong));
    return exitCodeOf(wrong);
  }
  const limit = Date.now() - days * DAY;
  const goes = ({ lastUsed }: Entry) => all || lastUsed.getTime() <= limit;
  const cleaned = await withPatience(
    () => `${dryRun ? 'measuring' : 'cleaning'} ${store.root}`,
    () => cleanStore(store, goes, { dryRun, references: all }),
  );
  if (!cleaned.ok) {
    printError(formatFailure(cleaned.failure));
    return exitCodeOf(cleaned.failure);
  }
  const { removed, inUse, leftovers } = cleaned.value;
  for (const entry of removed) print(describe(entry));
  for (const path of leftovers) print(`${path} (left over)`);
  for (const { kind, key } of inUse) printError(`daxrepro: ${kind}/${key} is in use and stays`);
  print(`${dryRun ? 'Would free' : 'Freed'} ${formatBytes(total(removed))} below ${store.root}`);
  return EXIT.ok;
}

function complete(context: CacheCommandContext) {
  return {
    store: context.store ?? defaultStore(),
    print: context.print ?? ((text: string) => process.stdout.write(`${text}\n`)),
    printError: context.printError ?? ((text: string) => process.stderr.write(`${text}\n`)),
  };
}

function describe({ kind, key, size, lastUsed }: Entry): string {
  const day = lastUsed.toISOString().slice(0, 16).replace('T', ' ');
  return `${kind.padEnd(16)}  ${key}  ${formatBytes(size).padStart(9)}  last used ${day}`;
}

function total(entries: readonly Entry[]): number {
  return entries.reduce((sum, { size }) => sum + size, 0);
}
