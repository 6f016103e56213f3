import type { Ending, Limits } from '../results/bisect-result.js';
import { type Decision, decide } from './decide.js';
import { zCapacity } from './information.js';
import { type BisectionPlan, GOOD } from './plan.js';
import { type BuildRuns, sumsOver } from './posterior.js';

export interface Tally {
  /** By build; undefined if it has no runs. */
  runs: readonly (BuildRuns | undefined)[];
  untestable: ReadonlySet<number>;
}

export type Step = { decision: Decision } & (
  | { type: 'run'; build: number }
  | { type: 'end'; ending: Ending }
);

/**
 * The posterior is calibrated on average over all failure rates; at some rates it is overconfident. So
 * a bisection ends only when the doubt is a quarter of what the confidence allows. The answer is then
 * as good as promised at every rate: bench/bisect.ts measures that.
 */
const SHARE_OF_DOUBT = 1 / 4;

/** The remaining probability at which a failure is reported as not seen: 1 in 20. */
const NOT_SEEN = 0.05;

/** The number of runs that show a failure of this rate almost certainly. */
export function runsToSee(rate: number): number {
  return rate >= 1 ? 1 : Math.ceil(Math.log(NOT_SEEN) / Math.log1p(-rate));
}

export function nextStep(
  plan: BisectionPlan,
  { runs, untestable }: Tally,
  classes: readonly number[][],
  cost: (build: number) => number,
  limits: Limits,
): Step {
  const { question, bad, hypotheses } = plan;
  const decision = decide(question, { runs, untestable }, classes, cost);
  const end = (ending: Ending): Step => ({ type: 'end', ending, decision });
  const run = (build: number): Step => ({ type: 'run', build, decision });
  const failures = runs.reduce((sum, one) => sum + (one?.failures ?? 0), 0);
  const total = runs.reduce((sum, one) => sum + (one ? one.failures + one.passes : 0), 0);
  if (failures === 0) {
    // The bad end runs first: it must fail at all, and its failure rate is needed for all else.
    if (untestable.has(bad)) return end({ type: 'bad-untestable' });
    const passes = runs[bad]?.passes ?? 0;
    const enough = Math.min(runsToSee(limits.leastRate), limits.maxRuns);
    return passes >= enough ? end({ type: 'not-seen', runs: passes }) : run(bad);
  }
  if (runs[0] === undefined && !untestable.has(0)) return run(0);
  const { best } = decision;
  const changes = best.hypotheses.map((one) => hypotheses[one] ?? GOOD);
  const { probability } = best;
  if (1 - probability <= (1 - limits.confidence) * SHARE_OF_DOUBT) {
    return end(
      changes.includes(GOOD) ? { type: 'good-fails' } : { type: 'found', changes, probability },
    );
  }
  if (decision.next !== undefined && total < limits.maxRuns) return run(decision.next);
  const needed = runsNeeded(decision, classes, limits.confidence);
  return end({ type: 'gave-up', changes, probability, needed });
}

/** Estimates the runs still needed: twice the missing information by the most that one run can give. */
export function runsNeeded(
  { posterior: { probabilities, rates } }: Decision,
  classes: readonly number[][],
  confidence: number,
): number {
  let doubt = 0;
  let rate = 0;
  for (const members of classes) {
    const probability = members.reduce((sum, one) => sum + (probabilities[one] ?? 0), 0);
    if (probability > 0) doubt -= probability * Math.log2(probability);
  }
  for (let one = 0; one < rates.length; one += 1) {
    rate += (probabilities[one] ?? 0) * (rates[one] ?? 0);
  }
  const bits = doubt + Math.log2(1 / (1 - confidence));
  return Math.ceil((2 * bits) / zCapacity(rate));
}

/** The probability that the next run of a build fails. */
export function failureExpected(plan: BisectionPlan, { posterior }: Decision, build: number) {
  const { probabilities, rates } = posterior;
  const failing = probabilities.map((probability, one) => probability * (rates[one] ?? 0));
  return sumsOver(failing, [plan.question.builds[build] ?? 0])[0] ?? 0;
}
