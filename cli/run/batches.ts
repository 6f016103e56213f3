import { groupBy } from '../group-by.js';
import type { Unit } from '../plan/unit.js';

/** Decides which units share guests. */

export interface Numbered {
  unit: Unit;
  /** Its position in the run. */
  index: number;
}

/** Limits how far state from one test can reach later ones. */
const MOST_IN_A_GUEST = 50;

/**
 * Groups the units into batches, in the order they run. Each unit has a batch of its own, or shares
 * one with xfstests units that differ only in the test. Within a batch they are in the order in
 * which xfstests' `check` runs them.
 *
 * @param jobs number of guests at a time; all get something to do
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
    const { suite, facts, powerCut, shape } = unit;
    const alone = suite.name !== 'xfstests' || facts?.missing || powerCut || shape.recorded;
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

/** The guest that a unit had; undefined if it did not share one. */
export type GuestOf = (unit: Unit) => string | undefined;

/** The same guests as in an earlier run, whatever decided them. */
function asTheyWere(units: readonly Unit[], guestOf: GuestOf): Numbered[][] {
  const numbered = units.map((unit, index) => ({ unit, index }));
  const batches = groupBy(numbered, ({ unit, index }) => guestOf(unit) ?? `alone ${index}`);
  return [...batches.values()].map((batch) =>
    batch.toSorted((a, b) => (a.unit.test < b.unit.test ? -1 : 1)),
  );
}

/** Batches of unknown duration keep their order and come after the known ones. */
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
