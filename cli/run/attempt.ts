import type { Outcome } from '../outcome.js';
import { storageFailure } from '../store/store.js';

/** Our own writing can fail at any point of a unit. Turns such an error into an outcome. */
export async function attempt<Value>(run: () => Promise<Outcome<Value>>): Promise<Outcome<Value>> {
  try {
    return await run();
  } catch (error) {
    return storageFailure("the run's directory", error);
  }
}
