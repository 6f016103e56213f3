import { success } from '../outcome.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
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
  const since = Date.now() - DAY;
  const read = Wanted.safeParse(await readReference(store, NAME));
  const known = (read.success ? read.data : []).filter(({ at }) => at > since);
  if (known.some((one) => one.key === key)) return true;
  const remember = [{ key, at: Date.now() }, ...known].slice(0, MOST);
  // If it cannot be written, single units go on without checkpoints.
  await settleReference(
    store,
    NAME,
    async () => undefined,
    async () => success({ remember, value: undefined }),
  );
  return false;
}
