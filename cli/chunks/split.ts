import type { Unit } from '../plan/unit.js';
import { meanOfKnown } from '../statistics/estimate.js';

/** Groups units into chunks of about equal time. Pure: equal units and durations give equal chunks. */

export interface Timed {
  unit: Unit;
  /** Expected seconds. */
  seconds: number;
}

/** Seconds of a unit if no test of the run has run before. */
const UNKNOWN = 10;

/** Estimates every unit. A test that never ran takes as long as the mean of the others. */
export function estimated(
  units: readonly Unit[],
  known: (unit: Unit) => number | undefined,
): Timed[] {
  const seconds = units.map(known);
  const mean = meanOfKnown(seconds) ?? UNKNOWN;
  return units.map((unit, at) => ({ unit, seconds: seconds[at] ?? mean }));
}

/**
 * The compared sides of a test stay in one chunk, so that they run on the same machine. Groups are
 * spread from the longest to the shortest, each to the chunk that has least to do. A chunk begins with
 * its longest units, and the longest chunk comes first.
 *
 * @param target seconds of a chunk, if its units run one after the other
 * @param least chunks to make, if there are as many groups
 */
export function splitUnits<One extends Timed>(
  units: readonly One[],
  { target, least = 1 }: { target: number; least?: number },
): One[][] {
  const groups = [...groupsOf(units).values()].map((group) => ({ group, seconds: sumOf(group) }));
  const total = groups.reduce((sum, one) => sum + one.seconds, 0);
  const wanted = Math.max(Math.ceil(total / target), least);
  const chunks = new Heap(Math.min(wanted, groups.length));
  // The sort is stable: groups that take equally long keep their order.
  for (const [at, { seconds }] of groups
    .map((one, index) => [index, one] as const)
    .sort(([, one], [, other]) => other.seconds - one.seconds)) {
    chunks.add(at, seconds);
  }
  return chunks.all
    .toSorted((one, other) => other.seconds - one.seconds || one.number - other.number)
    .map(({ groups: own }) => own.flatMap((at) => groups[at]?.group ?? []));
}

function groupsOf<One extends Timed>(units: readonly One[]): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of units) {
    const { fs, test, attempt, shape, powerCut } = one.unit;
    const key = `${fs} ${test} ${attempt} ${shape.pmem} ${powerCut !== undefined}`;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function sumOf(units: readonly Timed[]): number {
  return units.reduce((sum, { seconds }) => sum + seconds, 0);
}

interface Bin {
  number: number;
  seconds: number;
  groups: number[];
}

/** A binary heap of chunks: the one with least to do is on top, and of equal ones the first. */
class Heap {
  readonly all: Bin[];

  constructor(size: number) {
    this.all = Array.from({ length: size }, (_, number) => ({ number, seconds: 0, groups: [] }));
  }

  add(group: number, seconds: number): void {
    const [top] = this.all;
    if (!top) return;
    top.groups.push(group);
    top.seconds += seconds;
    this.#sink();
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const least = this.#less(2 * at + 1, this.#less(2 * at + 2, at));
      if (least === at) return;
      const [one, other] = [this.all[at] as Bin, this.all[least] as Bin];
      this.all[at] = other;
      this.all[least] = one;
      at = least;
    }
  }

  /** The one of two places that has less to do; the second if the first does not exist. */
  #less(one: number, other: number): number {
    const [a, b] = [this.all[one], this.all[other]];
    if (!a) return other;
    if (!b) return one;
    const less = a.seconds - b.seconds || a.number - b.number;
    return less < 0 ? one : other;
  }
}
