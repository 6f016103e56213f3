import { resolve } from 'node:path';
import { collect } from '../chunks/collect.js';
import { reattach } from '../engines/spread.js';
import { success } from '../outcome.js';
import { askToLeave, endSpread, INTERRUPTED } from './on.js';
import { type CollectedOutput, printCollected } from './print-collected.js';
import { inSession } from './session.js';

export interface CollectOptions extends CollectedOutput {
  /** Watch until all units have a result. */
  wait?: boolean;
}

/** `daxrepro collect DIR`: its exit code is that of `run` or `compare`. */
export async function collectCommand(name: string, options: CollectOptions): Promise<number> {
  const directory = resolve(name);
  return inSession(async (session) => {
    if (options.wait) {
      const done = await reattach(directory, { ...session, leave: askToLeave });
      return done.ok ? success(await endSpread(done.value, options, session)) : done;
    }
    const collected = collect(directory);
    if (!collected.ok) return collected;
    session.reporter.end();
    return success(await printCollected(collected.value, options, session));
  }, INTERRUPTED);
}
