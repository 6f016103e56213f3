import type { Limits } from '../results/bisect-result.js';
import { classesOf } from './decide.js';
import type { BisectionPlan } from './plan.js';
import { nextStep } from './policy.js';
import type { BuildRuns } from './posterior.js';

/** A bisection with random numbers in place of guests: for tests and benchmarks of the policy. */

export interface Simulated {
  /** The index of the change that was found; undefined if none was. */
  named: number | undefined;
  runs: number;
}

/**
 * @param isBad whether a change has the bug
 * @param rate the failure rate of a bad change
 * @param random a source of numbers from 0 to 1
 */
export function simulate(
  plan: BisectionPlan,
  {
    isBad,
    rate,
    random,
  }: { isBad: (change: number) => boolean; rate: number; random: () => number },
  limits: Limits,
  untestable: ReadonlySet<number> = new Set(),
): Simulated {
  const runs: (BuildRuns | undefined)[] = plan.builds.map(() => undefined);
  const classes = classesOf(plan.question, untestable);
  for (let count = 0; ; count += 1) {
    const step = nextStep(plan, { runs, untestable }, classes, () => 1, limits);
    if (step.type === 'end') {
      const { ending } = step;
      return { named: ending.type === 'found' ? ending.changes[0] : undefined, runs: count };
    }
    const build = plan.builds[step.build];
    const before = runs[step.build] ?? { passes: 0, failures: 0 };
    const fails = isBad(build?.change ?? -1) && random() < rate;
    runs[step.build] = fails
      ? { ...before, failures: before.failures + 1 }
      : { ...before, passes: before.passes + 1 };
  }
}

/** A generator of numbers from 0 to 1, determined by its seed (mulberry32, public domain). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A history without branches in which every commit builds something else. */
export function linearChanges(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    id: `c${at + 1}`,
    title: `change ${at + 1}`,
    parents: [at - 1],
    content: `${at + 1}`,
  }));
}
