import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { acquireLock } from './lock.js';
import { type Store, storageFailure } from './store.js';

/**
 * References say what names stand for: small JSON files that change, unlike entries. `debian:6.1`
 * is one version today and another next week; a reference remembers which, so that the mirror need
 * not be asked.
 *
 *     <root>/references/<name>.json
 *     <root>/references/.<name>.lock     held while the value is worked out
 *     <root>/references/.<name>.making/  scratch space for that, removed afterwards
 */

export const REFERENCES = 'references';

/** The value as it was written, or undefined. The reader checks its shape. */
export async function readReference(store: Store, name: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(store.root, REFERENCES, `${name}.json`), 'utf8'));
  } catch {
    // Missing or broken: either way it must be worked out again.
    return undefined;
  }
}

/**
 * Works out what `name` stands for, in one process at a time, and remembers it.
 *
 * @param look returns the value if it is known by now: another process may have worked it out
 * @param make works it out; its directory is empty and removed afterwards
 */
export async function settleReference<Value>(
  store: Store,
  name: string,
  look: () => Promise<Value | undefined>,
  make: (scratch: string) => Promise<Outcome<{ remember: unknown; value: Value }>>,
  { onWait }: { onWait?: () => void } = {},
): Promise<Outcome<Value>> {
  const shelf = join(store.root, REFERENCES);
  const scratch = join(shelf, `.${name}.making`);
  try {
    await mkdir(shelf, { recursive: true });
    const lock = await acquireLock(join(shelf, `.${name}.lock`), { onWait });
    try {
      const known = await look();
      if (known !== undefined) return success(known);
      await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch);
      const made = await make(scratch);
      if (!made.ok) return made;
      const draft = join(scratch, 'reference.json');
      await writeFile(draft, `${JSON.stringify(made.value.remember, null, 2)}\n`);
      await rename(draft, join(shelf, `${name}.json`));
      return success(made.value.value);
    } finally {
      await rm(scratch, { recursive: true, force: true });
      lock.release();
    }
  } catch (error) {
    return storageFailure(shelf, error);
  }
}

/**
 * Replaces what `name` stands for, in one process at a time.
 *
 * @param next the new value, worked out from the present one, which it reads again under the lock
 */
export async function updateReference(
  store: Store,
  name: string,
  next: (known: unknown) => unknown,
): Promise<Outcome<void>> {
  return settleReference<void>(
    store,
    name,
    async () => undefined,
    async () => success({ remember: next(await readReference(store, name)), value: undefined }),
  );
}
