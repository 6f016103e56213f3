import type { Unit } from '../plan/unit.js';
import type { UnitResult } from '../results/run-result.js';
import { z } from '../schema.js';
import { readReference, updateReference } from '../store/reference.js';
import type { Store } from '../store/store.js';

/**
 * Remembers in the cache how long tests took here, to estimate the remaining time and to start long
 * tests first. Never part of a verdict.
 */

/** Seconds by test. */
export type Durations = ReadonlyMap<string, number>;

/** What must be equal for a test to take about as long. */
type Like = Pick<Unit, 'fs'> & { suite: string; accel: string; together: boolean };

const Remembered = z.record(z.string(), z.number().positive());

/** Weight of the new duration against the old: machines and kernels change. */
const NEW = 0.5;

function nameOf({ suite, fs, accel, together }: Like): string {
  return ['durations', suite, fs, accel, ...(together ? ['together'] : [])].join('-');
}

/** Empty if nothing is remembered, or the file cannot be read. */
export async function knownDurations(store: Store, like: Like): Promise<Durations> {
  return durationsIn(await readReference(store, nameOf(like)));
}

function durationsIn(value: unknown): Map<string, number> {
  const parsed = Remembered.safeParse(value);
  return new Map(parsed.success ? Object.entries(parsed.data) : []);
}

/** Remembers the tests that finished. A write error is ignored: no result depends on it. */
export async function learnDurations(store: Store, results: readonly UnitResult[]): Promise<void> {
  const groups = new Map<string, UnitResult[]>();
  for (const result of results) {
    if (result.ending !== 'finished' || result.durationSeconds <= 0) continue;
    const like: Like = {
      suite: result.suite.name,
      fs: result.fs as Like['fs'],
      accel: result.accel,
      together: result.together !== undefined && result.together.position > 1,
    };
    const took = groups.get(nameOf(like)) ?? [];
    took.push(result);
    groups.set(nameOf(like), took);
  }
  for (const [name, took] of groups) {
    await updateReference(store, name, (value) => {
      const known = durationsIn(value);
      for (const { test, durationSeconds } of took) {
        const before = known.get(test) ?? durationSeconds;
        const now = NEW * durationSeconds + (1 - NEW) * before;
        known.set(test, Math.round(now * 100) / 100);
      }
      return Object.fromEntries(known);
    });
  }
}
