import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import { acquireLock, type Lock, tryLock } from './lock.js';

/**
 * The cache: directories that never change once they exist, each named by the hash of all its
 * inputs.
 *
 *     <root>/<kind>/<key>/           an entry
 *     <root>/<kind>/.<key>.lock      exclusive while it is made or removed, shared while it is used
 *     <root>/<kind>/.<key>.making/   an entry being made, or left by a maker that died
 *     <root>/<kind>/.<key>.removing/ the same for an entry being removed
 *
 * Entries appear and disappear by a rename, so an existing entry is complete. References
 * (reference.ts) and workspaces (workspace.ts), which change, have their places and locks by the
 * same pattern.
 */

/**
 * Raise it with every change to what entries hold, so that entries of an older program are not
 * used.
 */
const FORMAT = 1;

export interface Store {
  readonly root: string;
}

/** `$XDG_CACHE_HOME/daxrepro`, as the XDG base directory specification says. */
export function defaultStore(): Store {
  const base = process.env['XDG_CACHE_HOME'];
  return { root: join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'daxrepro') };
}

/** The key for these inputs: 32 hexadecimal digits. Names matter, their order does not. */
export function cacheKey(inputs: Record<string, string | number | boolean>): string {
  const hash = createHash('sha256').update(`format ${FORMAT}\n`);
  for (const name of Object.keys(inputs).sort()) {
    hash.update(`${JSON.stringify(name)}: ${JSON.stringify(inputs[name])}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** The paths that belong to a key: the entry, and the files beside it. */
export function placesOf(store: Store, kind: string, key: string) {
  const shelf = join(store.root, kind);
  return {
    shelf,
    entry: join(shelf, key),
    lock: join(shelf, `.${key}.lock`),
    making: join(shelf, `.${key}.making`),
    removing: join(shelf, `.${key}.removing`),
  };
}

/**
 * The entry's directory if it exists, else undefined. Never makes one. From then on nobody removes
 * the entry until this process ends.
 */
export async function lookUp(store: Store, kind: string, key: string): Promise<string | undefined> {
  const { entry, lock } = placesOf(store, kind, key);
  if (await exists(entry)) {
    await keep(lock);
    // It may have been removed while we waited for the lock.
    if (await exists(entry)) {
      // Records the last use for `daxrepro cache clean`. A read-only cache works all the same.
      const now = new Date();
      await utimes(entry, now, now).catch(() => {});
      return entry;
    }
  }
  await letGo(lock);
  return undefined;
}

/** The shared locks of the entries that this process uses, by lock file. */
const kept = new Map<string, Promise<Lock | undefined>>();

/** Takes the shared lock for good; the kernel releases it when we end. */
async function keep(lock: string): Promise<void> {
  let taken = kept.get(lock);
  if (!taken) {
    taken = acquireLock(lock, { mode: 'shared' }).catch((error: NodeJS.ErrnoException) => {
      // A process that cannot lock cannot clean either, for example on a read-only file system.
      if (error.code === undefined) throw error;
      return undefined;
    });
    kept.set(lock, taken);
  }
  await taken;
}

/** For an entry that is gone: our own lock would keep us from making it. */
async function letGo(lock: string): Promise<void> {
  const taken = kept.get(lock);
  if (!taken) return;
  kept.delete(lock);
  (await taken)?.release();
}

export interface MakeOptions {
  /** Called once if another process is making the same entry. */
  onWait?: () => void;
}

/**
 * The entry's directory, made by `make` if it is missing. If several processes want the same entry,
 * one makes it and the others wait. If `make` fails, nothing is left behind.
 */
export async function lookUpOrMake(
  store: Store,
  kind: string,
  key: string,
  make: (directory: string) => Promise<Outcome<unknown>>,
  { onWait }: MakeOptions = {},
): Promise<Outcome<string>> {
  const { shelf, entry, lock, making } = placesOf(store, kind, key);
  let announced = false;
  const announce = () => {
    if (!announced) onWait?.();
    announced = true;
  };
  try {
    for (;;) {
      const found = await lookUp(store, kind, key);
      if (found) return success(found);
      await mkdir(shelf, { recursive: true });
      const held = await tryLock(lock);
      if (!held) {
        // A shared lock is free as soon as the entry is made: its maker, possibly us, goes on to
        // hold a shared one for the rest of its life.
        announce();
        (await acquireLock(lock, { mode: 'shared' })).release();
        continue;
      }
      try {
        // Another process may have made it since we looked.
        if (await exists(entry)) continue;
        // A leftover of a killed maker belongs to nobody: we hold the lock.
        await rm(making, { recursive: true, force: true });
        await mkdir(making);
        try {
          const made = await make(making);
          if (!made.ok) return made;
          await rename(making, entry);
        } finally {
          await rm(making, { recursive: true, force: true });
        }
      } finally {
        held.release();
      }
    }
  } catch (error) {
    return storageFailure(shelf, error);
  }
}

/** Removes a bad entry. Processes that use it keep their open files. */
export async function discard(store: Store, kind: string, key: string): Promise<void> {
  const { entry, lock, removing } = placesOf(store, kind, key);
  await letGo(lock);
  try {
    await rename(entry, `${removing}-${process.pid}`);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rm(`${removing}-${process.pid}`, { recursive: true, force: true });
}

/**
 * Turns an error of the file system from our own writing into a failure. Any other error is a bug
 * and is thrown.
 */
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
    'Free some space (`daxrepro cache clean` removes what the cache holds), or set XDG_CACHE_HOME to a directory on another disk',
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

/** Every complete entry and every workspace, by kind and key. */
export async function listEntries(store: Store): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const kind of await directoriesIn(store.root)) {
    for (const key of await directoriesIn(join(store.root, kind))) {
      const { entry } = placesOf(store, kind, key);
      const status = await stat(entry).catch(() => undefined);
      // Another process may be cleaning.
      if (!status) continue;
      const size = await diskUsage(entry);
      entries.push({ kind, key, directory: entry, size, lastUsed: status.mtime });
    }
  }
  return entries;
}

/** The names of the directories in a directory, sorted, without hidden ones. */
export async function directoriesIn(directory: string): Promise<string[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return found
    .filter((one) => one.isDirectory() && !one.name.startsWith('.'))
    .map((one) => one.name)
    .sort();
}

async function diskUsage(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) => stat(join(file.parentPath, file.name)).catch(() => ({ blocks: 0 }))),
  );
  return sizes.reduce((total, { blocks }) => total + blocks * 512, 0);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Turns errors of writing files, in work that returns its other failures, into failures. */
export async function orStorageFailure<Value>(
  where: string,
  work: () => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  try {
    return await work();
  } catch (error) {
    return storageFailure(where, error);
  }
}
