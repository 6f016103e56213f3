import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { acquireLock } from './lock.js';
import { type Store, storageFailure } from './store.js';

/**
 * What names stand for: small JSON files that, unlike entries, change. `debian:6.1` is one version
 * today and another next week; a reference remembers which, and so spares us asking.
 *
 *     <root>/references/<name>.json
 *     <root>/references/.<name>.lock     held while it is being worked out
 *     <root>/references/.<name>.making/  scratch space for that, gone afterwards
 */

export const REFERENCES = 'references';

/** The value as it was written, or undefined. Its shape is the reader's to check. */
export async function readReference(store: Store, name: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(store.root, REFERENCES, `${name}.json`), 'utf8'));
  } catch {
    // Missing or broken: both mean that it has to be worked out again.
    return undefined;
  }
}

/**
 * Works out what `name` stands for, one process at a time, and remembers it.
 *
 * @param look the value where it is known by now: another process may have been at it
 * @param make works it out; its directory is empty and its own, and gone afterwards
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
