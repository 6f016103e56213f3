import { access, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailureKind, Outcome } from '../outcome.js';
import { acquireLock } from './lock.js';
import { type Store, storageFailure } from './store.js';

/** Failures that may leave half-written files. */
const CUT_OFF: readonly FailureKind[] = ['interrupted', 'storage', 'tool-failed'];

/**
 * Workspaces: directories that stay and change, in which something is built again and again from
 * what is there. One process at a time uses a workspace.
 *
 *     <root>/<kind>/<key>/        the workspace
 *     <root>/<kind>/.<key>.lock   held while it is used
 *     <root>/<kind>/.<key>.busy   exists while it is used: a leftover means that its user was killed,
 *                                 and the workspace cannot be trusted
 */
export async function useWorkspace<Value>(
  store: Store,
  kind: string,
  key: string,
  use: (directory: string) => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  const shelf = join(store.root, kind);
  const directory = join(shelf, key);
  const busy = join(shelf, `.${key}.busy`);
  try {
    await mkdir(shelf, { recursive: true });
    const lock = await acquireLock(join(shelf, `.${key}.lock`));
    try {
      const left = await access(busy).then(
        () => true,
        () => false,
      );
      if (left) await rm(directory, { recursive: true, force: true });
      await writeFile(busy, '');
      await mkdir(directory, { recursive: true });
      const used = await use(directory);
      // A build that failed by itself has cleaned up. One that was cut off has not.
      if (used.ok || !CUT_OFF.includes(used.failure.kind)) {
        const now = new Date();
        await utimes(directory, now, now);
        await rm(busy);
      }
      return used;
    } finally {
      lock.release();
    }
  } catch (error) {
    return storageFailure(shelf, error);
  }
}

/**
 * An empty directory in the workspace for a tool's TMPDIR. A killed compiler leaves files there;
 * they go with the next build instead of filling the system's own.
 */
export async function temporaryPlace(workspace: string): Promise<string> {
  const place = join(workspace, 'tmp');
  await rm(place, { recursive: true, force: true });
  await mkdir(place);
  return place;
}
