import { type Outcome, success } from '../outcome.js';

/** Starts no more after a failure; what runs then still ends. @returns the first failure */
export async function inParallel<Item>(
  items: readonly Item[],
  jobs: number,
  work: (item: Item) => Promise<Outcome<void>>,
): Promise<Outcome<void>> {
  const waiting = [...items];
  let ended: Outcome<void> = success(undefined);
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined && ended.ok; one = waiting.shift()) {
      const done = await work(one);
      if (!done.ok && ended.ok) ended = done;
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return ended;
}
