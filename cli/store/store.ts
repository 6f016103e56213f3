import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import { acquireLock } from './lock.js';

/**
 * The cache: directories that never change once they are there, each named by the hash of
 * everything that went into it.
 *
 *     <root>/<kind>/<key>/          an entry
 *     <root>/<kind>/.<key>.lock     held while it is being made
 *     <root>/<kind>/.<key>.making/  one that is being made, or was when its maker died
 *
 * An entry comes into being by a rename, so one that is there is whole.
 */

/** Raised with every change to what entries hold, so that an older program's entries are not used. */
const FORMAT = 1;

export interface Store {
  readonly root: string;
}

/** `$XDG_CACHE_HOME/daxrepro`, by the XDG base directory specification. */
export function defaultStore(): Store {
  const base = process.env['XDG_CACHE_HOME'];
  return { root: join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'daxrepro') };
}

/** The key for these inputs: 32 hexadecimal digits. Order does not matter, names do. */
export function cacheKey(inputs: Record<string, string | number | boolean>): string {
  const hash = createHash('sha256').update(`format ${FORMAT}\n`);
  for (const name of Object.keys(inputs).sort()) {
    hash.update(`${JSON.stringify(name)}: ${JSON.stringify(inputs[name])}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** The entry's directory where it is there, else undefined. Never makes anything. */
export async function lookUp(store: Store, kind: string, key: string): Promise<string | undefined> {
  const directory = join(store.root, kind, key);
  try {
    await access(directory);
  } catch {
    return undefined;
  }
  // The time of last use, for `daxrepro cache clean`. A read-only cache is still a cache.
  const now = new Date();
  await utimes(directory, now, now).catch(() => {});
  return directory;
}

export interface MakeOptions {
  /** Called once where another process is making the same entry. */
  onWait?: () => void;
}

/**
 * The entry's directory, made by `make` where it is missing. Of several processes that want the
 * same entry one makes it and the others wait. Where `make` fails nothing is left behind.
 */
export async function lookUpOrMake(
  store: Store,
  kind: string,
  key: string,
  make: (directory: string) => Promise<Outcome<unknown>>,
  { onWait }: MakeOptions = {},
): Promise<Outcome<string>> {
  const found = await lookUp(store, kind, key);
  if (found) return success(found);
  const shelf = join(store.root, kind);
  try {
    await mkdir(shelf, { recursive: true });
    const lock = await acquireLock(join(shelf, `.${key}.lock`), onWait);
    try {
      const madeMeanwhile = await lookUp(store, kind, key);
      if (madeMeanwhile) return success(madeMeanwhile);
      // What a killed maker left is nobody's now: we hold the lock.
      const making = join(shelf, `.${key}.making`);
      await rm(making, { recursive: true, force: true });
      await mkdir(making);
      try {
        const made = await make(making);
        if (!made.ok) return made;
        await rename(making, join(shelf, key));
      } finally {
        await rm(making, { recursive: true, force: true });
      }
    } finally {
      await lock.release();
    }
    return success(join(shelf, key));
  } catch (error) {
    return storageFailure(shelf, error);
  }
}

/** A file-system error of our own writing, as a failure. What is not one is a bug and thrown. */
export function storageFailure(where: string, error: unknown): { ok: false; failure: Failure } {
  const code = (error as NodeJS.ErrnoException).code;
  const reasons: Record<string, string> = {
    ENOSPC: 'there is no space left on the device',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is not a directory',
    EEXIST: 'a file is in the way',
    ENOENT: 'the directory does not exist',
  };
  const reason = code === undefined ? undefined : reasons[code];
  if (reason === undefined) throw error;
  return failure(
    'storage',
    `Cannot write below ${where}: ${reason}`,
    'Make room (`daxrepro cache clean` frees what the cache holds), or set XDG_CACHE_HOME to a directory with some',
  );
}

export interface Entry {
  kind: string;
  key: string;
  directory: string;
  /** Bytes on disk. */
  size: number;
  lastUsed: Date;
}

/** Every whole entry, by kind and key. */
export async function listEntries(store: Store): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const kind of await names(store.root)) {
    for (const key of await names(join(store.root, kind))) {
      if (key.startsWith('.')) continue;
      const directory = join(store.root, kind, key);
      const { mtime } = await stat(directory);
      entries.push({ kind, key, directory, size: await diskUsage(directory), lastUsed: mtime });
    }
  }
  return entries;
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch {
    return [];
  }
}

async function diskUsage(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  let total = 0;
  for (const file of files) {
    if (!file.isFile()) continue;
    const { blocks } = await stat(join(file.parentPath, file.name)).catch(() => ({ blocks: 0 }));
    total += blocks * 512;
  }
  return total;
}
