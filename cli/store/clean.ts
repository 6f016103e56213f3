import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { tryLock } from './lock.js';
import { REFERENCES } from './reference.js';
import {
  directoriesIn,
  type Entry,
  listEntries,
  placesOf,
  type Store,
  storageFailure,
} from './store.js';

/**
 * Removes cache entries that no process is making or using. Users of an entry hold its lock, and we
 * hold it during the removal.
 */

export interface Cleaning {
  removed: Entry[];
  /** Not removed, because a process uses it. */
  inUse: Entry[];
  /** Leftovers of killed makers and removers, by path. */
  leftovers: string[];
}

export interface CleanOptions {
  /** Only list what would be removed. */
  dryRun?: boolean;
  /** Remove the references, too. */
  references?: boolean;
}

/** @param goes tells which entries to remove */
export async function cleanStore(
  store: Store,
  goes: (entry: Entry) => boolean,
  { dryRun = false, references = false }: CleanOptions = {},
): Promise<Outcome<Cleaning>> {
  const cleaning: Cleaning = { removed: [], inUse: [], leftovers: [] };
  try {
    for (const entry of (await listEntries(store)).filter(goes)) {
      const removed = await removeEntry(store, entry, dryRun);
      (removed ? cleaning.removed : cleaning.inUse).push(entry);
    }
    if (references && !dryRun) await removeReferences(store);
    for (const kind of await directoriesIn(store.root)) {
      cleaning.leftovers.push(...(await sweep(store, kind, dryRun)));
    }
    return success(cleaning);
  } catch (error) {
    return storageFailure(store.root, error);
  }
}

/** Keeps so many entries of a kind, the last used ones, and those that a process uses. */
export async function keepNewest(store: Store, kind: string, most: number): Promise<void> {
  const entries = await Promise.all(
    (await directoriesIn(join(store.root, kind))).map(async (key) => {
      const { entry: directory } = placesOf(store, kind, key);
      const status = await stat(directory).catch(() => undefined);
      return { kind, key, directory, size: 0, lastUsed: status?.mtime ?? new Date(0) };
    }),
  );
  const oldest = entries.sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime()).slice(most);
  for (const entry of oldest) await removeEntry(store, entry, false);
}

/** A process that is working one out writes it again. */
async function removeReferences(store: Store): Promise<void> {
  const shelf = join(store.root, REFERENCES);
  const names: string[] = await readdir(shelf).catch(() => []);
  for (const name of names) {
    if (name.endsWith('.json') && !name.startsWith('.'))
      await rm(join(shelf, name), { force: true });
  }
}

/** @returns false if a process uses it */
async function removeEntry(store: Store, { kind, key }: Entry, dryRun: boolean): Promise<boolean> {
  const { entry, lock, removing } = placesOf(store, kind, key);
  // A dry run creates no lock files.
  if (dryRun && !existsSync(lock)) return true;
  const held = await tryLock(lock);
  if (!held) return false;
  try {
    if (dryRun) return true;
    await rm(removing, { recursive: true, force: true });
    await rename(entry, removing).catch(ignoreMissing);
    await rm(removing, { recursive: true, force: true });
    // A process that waits for this lock notices that its file is gone, and starts over.
    await rm(lock, { force: true });
    return true;
  } finally {
    held.release();
  }
}

/** Files beside entries: `.<key>.making` and the like. */
const BESIDE = /^\.(.+)\.(lock|making|removing|busy)$/;

async function sweep(store: Store, kind: string, dryRun: boolean): Promise<string[]> {
  const shelf = join(store.root, kind);
  const names: string[] = await readdir(shelf).catch(() => []);
  const keys = new Set(names.flatMap((name) => name.match(BESIDE)?.[1] ?? []));
  const leftovers: string[] = [];
  for (const key of keys) {
    const isThere = names.includes(key) || names.includes(`${key}.json`);
    const left = names.filter((name) => {
      const [, of, what] = name.match(BESIDE) ?? [];
      // A workspace keeps the mark that it cannot be trusted.
      return of === key && what !== 'lock' && !(isThere && what === 'busy');
    });
    const lock = placesOf(store, kind, key).lock;
    if (left.length === 0 && isThere) continue;
    const paths = left.map((name) => join(shelf, name));
    if (dryRun && !existsSync(lock)) {
      leftovers.push(...paths);
      continue;
    }
    const held = await tryLock(lock);
    if (!held) continue;
    try {
      leftovers.push(...paths);
      if (dryRun) continue;
      for (const name of left) await rm(join(shelf, name), { recursive: true, force: true });
      if (!isThere) await rm(lock, { force: true });
    } finally {
      held.release();
    }
  }
  return leftovers;
}

function ignoreMissing(error: NodeJS.ErrnoException) {
  if (error.code !== 'ENOENT') throw error;
}
