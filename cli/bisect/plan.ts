import { failure, type Outcome, success } from '../outcome.js';
import type { BadUnder, Question } from './posterior.js';

/** Turns a history into hypotheses about the first bad change, and builds that test them. Pure. */

/** A commit, or a patch of a series. */
export interface Change {
  /** A commit's name, or `3/12`. */
  id: string;
  title: string;
  /** Indices in the list of changes, or GOOD for the good end. */
  parents: number[];
  /** Identifies what is built: changes with the same content build the same. */
  content: string;
}

/** The index of the good end, which is not in the list of changes. */
export const GOOD = -1;

export interface Build {
  content: string;
  /** The first change with this content, or GOOD. */
  change: number;
}

export interface BisectionPlan {
  /** Parents first; the last one is the bad end. */
  changes: readonly Change[];
  /** What can be run; the first one is the good end. */
  builds: readonly Build[];
  /** The build of the bad end. */
  bad: number;
  question: Question;
  /** The first bad change by each hypothesis; GOOD means that the good end is bad already. */
  hypotheses: readonly number[];
}

/** The prior probability that the good end is bad. */
const GOOD_IS_BAD = 0.05;

/**
 * A change that builds the same as one of its parents cannot be the first bad one, and needs no build.
 * A merge can be the first bad change: both sides may be good alone.
 *
 * @param good the content of the good end
 */
export function planBisection(good: string, changes: readonly Change[]): Outcome<BisectionPlan> {
  const contentOf = (at: number) => (at === GOOD ? good : changes[at]?.content);
  const candidates = changes
    .map((_, at) => at)
    .filter((at) => {
      const { parents, content } = changes[at] as Change;
      return parents.every((parent) => contentOf(parent) !== content);
    });
  const hypotheses = [GOOD, ...candidates];
  const place = new Map(candidates.map((at, index) => [at, index + 1]));
  const ancestry = ancestries(changes, place);
  const builds: Build[] = [{ content: good, change: GOOD }];
  const byContent = new Map([[good, 0]]);
  const prior = new Float64Array(hypotheses.length).fill((1 - GOOD_IS_BAD) / candidates.length);
  prior[0] = GOOD_IS_BAD;
  const sets: Uint32Array[] = [Uint32Array.of(0)];
  for (const [at, { content }] of changes.entries()) {
    const under = ancestry[at] as Uint32Array;
    const known = byContent.get(content);
    if (known === undefined) {
      byContent.set(content, builds.length);
      builds.push({ content, change: at });
      sets.push(under);
      continue;
    }
    // The same build cannot be good and bad: rule out the hypotheses that say so.
    for (const one of difference(sets[known] as Uint32Array, under)) prior[one] = 0;
  }
  const bad = byContent.get(changes.at(-1)?.content ?? good) as number;
  if (bad === 0 || prior.every((weight, index) => index === 0 || weight === 0)) {
    return failure(
      'usage',
      'The good and the bad end build the same: no change between them can be the cause',
      'Check that both ends are right, and that the changes are to this file system',
    );
  }
  return success({
    changes,
    builds,
    bad,
    hypotheses,
    question: { prior, builds: sets.map((set) => asPrefix(set)) },
  });
}

/** For each change, the hypotheses under which it is bad: their indices, in order. */
function ancestries(changes: readonly Change[], place: Map<number, number>): Uint32Array[] {
  const found: Uint32Array[] = [];
  for (const [at, { parents }] of changes.entries()) {
    const own = place.get(at);
    const [first, ...others] = parents.map((parent) => found[parent] ?? Uint32Array.of(0));
    let set = first ?? Uint32Array.of(0);
    for (const other of others) set = union(set, other);
    found.push(own === undefined ? set : union(set, Uint32Array.of(own)));
  }
  return found;
}

function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  const all = new Set(a);
  for (const one of b) all.add(one);
  if (all.size === a.length) return a;
  return Uint32Array.from(all).sort();
}

function difference(a: Uint32Array, b: Uint32Array): number[] {
  const [inA, inB] = [new Set(a), new Set(b)];
  return [...a, ...b].filter((one) => inA.has(one) !== inB.has(one));
}

/** In a history without branches, a build is bad under the first N hypotheses; N is enough then. */
function asPrefix(set: Uint32Array): BadUnder {
  return set.at(-1) === set.length - 1 ? set.length : set;
}
