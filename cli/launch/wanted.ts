import { z } from '../schema.js';
import { readReference, updateReference } from '../store/reference.js';
import type { Store } from '../store/store.js';

/**
 * Remembers which checkpoints would have been of use. A single unit does not pay for one, but the
 * same unit for the second time in a day shows that more are to come.
 */

const NAME = 'mounted-guests-wanted';

/** The newest are kept. */
const MOST = 64;

const DAY = 24 * 60 * 60 * 1000;

const Wanted = z.array(z.object({ key: z.string(), at: z.number() }));

/** Whether it was wanted before, within a day; notes that it is wanted now. */
export async function wasWanted(store: Store, key: string): Promise<boolean> {
  const wanted = (value: unknown) => {
    const read = Wanted.safeParse(value);
    return (read.success ? read.data : []).filter(({ at }) => at > Date.now() - DAY);
  };
  const known = wanted(await readReference(store, NAME));
  if (known.some((one) => one.key === key)) return true;
  // If it cannot be written, single units go on without checkpoints.
  await updateReference(store, NAME, (value) =>
    [{ key, at: Date.now() }, ...wanted(value)].slice(0, MOST),
  );
  return false;
}
