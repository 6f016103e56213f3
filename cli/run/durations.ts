import type { Unit } from '../plan/unit.js';
import type { UnitResult } from '../results/run-result.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import type { Store } from '../store/store.js';

/**
 * How long tests took here: remembered in the cache for what is said of the time that is left, and
 * for what is run first. Never part of a verdict.
 */

/** Seconds by test. */
export type Durations = ReadonlyMap<string, number>;

/** What is alike enough for one test to take as long. */
type Like = Pick<Unit, 'fs'> & { suite: string; accel: string; together: boolean };

const Remembered = z.record(z.string(), z.number().positive());

/** Of the new and the old, how much the new counts: machines and kernels change. */
const NEW = 0.5;

function nameOf({ suite, fs, accel, together }: Like): string {
  return ['durations', suite, fs, accel, ...(together ? ['together'] : [])].join('-');
}

/** Empty where nothing is remembered, or what is remembered cannot be read. */
export async function knownDurations(store: Store, like: Like): Promise<Durations> {
  const parsed = Remembered.safeParse(await readReference(store, nameOf(like)));
  return new Map(parsed.success ? Object.entries(parsed.data) : []);
}

/**
 * Remembers those that came to their end. That it could not be written is nobody's loss: a run's result
 * does not depend on it.
 */
export async function learnDurations(store: Store, results: readonly UnitResult[]): Promise<void> {
  const groups = new Map<string, { like: Like; took: UnitResult[] }>();
  for (const result of results) {
    if (result.ending !== 'finished' || result.durationSeconds <= 0) continue;
    const like: Like = {
      suite: result.suite.name,
      fs: result.fs as Like['fs'],
      accel: result.accel,
      together: result.together !== undefined && result.together.position > 1,
    };
    const group = groups.get(nameOf(like)) ?? { like, took: [] };
    group.took.push(result);
    groups.set(nameOf(like), group);
  }
  for (const [name, { like, took }] of groups) {
    await settleReference(
      store,
      name,
      async () => undefined,
      async () => {
        // Read again under the lock: another run may have learned meanwhile.
        const known = new Map(await knownDurations(store, like));
        for (const { test, durationSeconds } of took) {
          const before = known.get(test) ?? durationSeconds;
          const now = NEW * durationSeconds + (1 - NEW) * before;
          known.set(test, Math.round(now * 100) / 100);
        }
        return { ok: true, value: { remember: Object.fromEntries(known), value: undefined } };
      },
    );
  }
}
