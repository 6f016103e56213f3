import { informationOf } from './information.js';
import { type BuildRuns, type Posterior, posteriorOf, type Question } from './posterior.js';

/** Decides from all runs so far which build to run next, and which answer is the best so far. Pure. */

export interface Knowledge {
  /** By build; undefined if it has no runs yet. */
  runs: readonly (BuildRuns | undefined)[];
  /** Builds that cannot be tested: they do not compile, or do not boot. */
  untestable: ReadonlySet<number>;
}

export interface Decision {
  posterior: Posterior;
  /** The most probable class of hypotheses (see `classesOf`), and its probability. */
  best: { hypotheses: number[]; probability: number };
  /** The build with the most information per cost; undefined if no run gives any. */
  next: number | undefined;
  /** The expected information of one run of each build, in bits. */
  information: Float64Array;
}

/**
 * @param classes which hypotheses runs can tell apart: see `classesOf`
 * @param cost of a run of a build, in any unit, including the build if it does not exist yet
 */
export function decide(
  question: Question,
  { runs, untestable }: Knowledge,
  classes: readonly number[][],
  cost: (build: number) => number,
): Decision {
  const posterior = posteriorOf(question, runs);
  const information = informationOf(question, posterior);
  let next: number | undefined;
  let most = 0;
  for (let build = 0; build < information.length; build += 1) {
    const bits = information[build] ?? 0;
    if (bits <= LEAST || untestable.has(build)) continue;
    const worth = bits / cost(build);
    if (worth > most) [next, most] = [build, worth];
  }
  let best = { hypotheses: [] as number[], probability: 0 };
  for (const hypotheses of classes) {
    let probability = 0;
    for (const one of hypotheses) probability += posterior.probabilities[one] ?? 0;
    if (probability > best.probability) best = { hypotheses, probability };
  }
  return { posterior, best, next, information };
}

/** Information in bits below this is a rounding error. */
const LEAST = 1e-9;

/**
 * Groups the hypotheses into classes that runs can tell apart. The hypotheses of one class predict the
 * same bad builds among those that can be tested.
 */
export function classesOf(
  { prior, builds }: Question,
  untestable: ReadonlySet<number>,
): number[][] {
  const testable = builds.filter((_, build) => !untestable.has(build));
  if (testable.every((bad) => typeof bad === 'number')) return between(testable, prior.length);
  const classOf = new Uint32Array(prior.length);
  let classes = 1;
  for (const bad of testable) {
    if (classes === prior.length) break;
    const within = new Uint8Array(prior.length);
    if (typeof bad === 'number') within.fill(1, 0, bad);
    else for (const one of bad) within[one] = 1;
    const split = new Map<number, number>();
    for (let one = 0; one < prior.length; one += 1) {
      const key = (classOf[one] ?? 0) * 2 + (within[one] ?? 0);
      const known = split.get(key) ?? split.size;
      split.set(key, known);
      classOf[one] = known;
    }
    classes = split.size;
  }
  const found = Array.from({ length: classes }, () => [] as number[]);
  for (const [one, own] of classOf.entries()) found[own]?.push(one);
  return found;
}

/** In a history without branches, a class is everything between two testable builds. */
function between(prefixes: readonly number[], count: number): number[][] {
  const ends = [...new Set([...prefixes, count])].sort((a, b) => a - b);
  const classes: number[][] = [];
  let from = 0;
  for (const end of ends) {
    if (end > from) classes.push(Array.from({ length: end - from }, (_, at) => from + at));
    from = end;
  }
  return classes;
}
