import { groupBy } from '../group-by.js';
import type { Unit } from '../plan/unit.js';

/** Which units share guests. */

export interface Numbered {
  unit: Unit;
  /** Its place in the run. */
  index: number;
}

/** State of one test can reach the next: not without end. */
const MOST_IN_A_GUEST = 50;

/**
 * The units in the order they are run, each in a batch of its own or with those that can share its guest:
 * tests of xfstests that differ in nothing but the test. Within a batch they stand as xfstests'
 * `check` will run them.
 *
 * @param jobs guests at a time; all get something to do
 */
export function inBatches(
  units: readonly Unit[],
  jobs: number,
  together: boolean | GuestOf,
): Numbered[][] {
  if (typeof together === 'function') return asTheyWere(units, together);
  const batches: Numbered[][] = [];
  const shared = new Map<string, Numbered[]>();
  for (const [index, unit] of units.entries()) {
    const alone = unit.suite.name !== 'xfstests' || unit.facts?.missing || unit.powerCut;
    if (!together || alone) {
      batches.push([{ unit, index }]);
      continue;
    }
    const { test: _, facts: __, ...same } = unit;
    const key = JSON.stringify(same);
    const batch = shared.get(key);
    if (batch) batch.push({ unit, index });
    else shared.set(key, [{ unit, index }]);
  }
  for (const batch of shared.values()) {
    batch.sort((a, b) => (a.unit.test < b.unit.test ? -1 : 1));
    const size = Math.min(MOST_IN_A_GUEST, Math.ceil(batch.length / jobs));
    for (let at = 0; at < batch.length; at += size) batches.push(batch.slice(at, at + size));
  }
  return batches;
}

/** Which guest a unit had; undefined where it had one of its own. */
export type GuestOf = (unit: Unit) => string | undefined;

/** Guests as an earlier run had them, whatever made them so. */
function asTheyWere(units: readonly Unit[], guestOf: GuestOf): Numbered[][] {
  const numbered = units.map((unit, index) => ({ unit, index }));
  const batches = groupBy(numbered, ({ unit, index }) => guestOf(unit) ?? `alone ${index}`);
  return [...batches.values()].map((batch) =>
    batch.toSorted((a, b) => (a.unit.test < b.unit.test ? -1 : 1)),
  );
}

/** What is not known to take long keeps its order, and comes after what is. */
export function longestFirst(
  batches: Numbered[][],
  estimate: ((unit: Unit) => number | undefined) | undefined,
): Numbered[][] {
  if (!estimate) return batches;
  const seconds = (batch: Numbered[]) =>
    batch.reduce((sum, { unit }) => sum + (estimate(unit) ?? 0), 0);
  return batches
    .map((batch) => ({ batch, seconds: seconds(batch) }))
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ batch }) => batch);
}
