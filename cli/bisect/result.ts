import type { Culprit, Limits, PathEntry } from '../results/bisect-result.js';
import { type Proportion, proportion } from '../statistics/proportion.js';
import type { BisectionPlan } from './plan.js';
import { GOOD } from './plan.js';
import { runsToSee } from './policy.js';
import { posteriorOf } from './posterior.js';
import type { BisectionState } from './state.js';
import { tallyOf } from './tally.js';

/** The builds with runs, and for each the probability that the cause is in it or before. */
export function pathOf(plan: BisectionPlan, state: BisectionState): PathEntry[] {
  const { probabilities } = posteriorOf(plan.question, tallyOf(plan, state).runs);
  const byChange = new Map(plan.hypotheses.map((change, at) => [change, probabilities[at] ?? 0]));
  let since = byChange.get(GOOD) ?? 0;
  const entries: PathEntry[] = [];
  const order = plan.builds.toSorted((a, b) => a.change - b.change);
  let from = 0;
  for (const { content, change } of order) {
    const runs = state.runs.filter((run) => run.content === content);
    const failed = state.builds.find((build) => build.content === content && !build.ok);
    for (; from <= change; from += 1) since += byChange.get(from) ?? 0;
    if (runs.length === 0 && !failed) continue;
    const count = (outcome: string) => runs.filter((run) => run.outcome === outcome).length;
    const [good, bad, unknown] = [count('good'), count('bad'), count('unknown')];
    const inconclusive = good + bad === 0 ? runs.at(-1)?.reason : undefined;
    entries.push({
      change: change === GOOD ? 'good' : (plan.changes[change]?.id ?? ''),
      title: change === GOOD ? 'the good end' : (plan.changes[change]?.title ?? ''),
      good,
      bad,
      unknown,
      skipped: failed?.reason ?? inconclusive ?? null,
      probability: since,
    });
    since = 0;
  }
  return entries;
}

/** The failure rate of the builds that are bad if the answer is right. */
export function rateOf(
  plan: BisectionPlan,
  state: BisectionState,
  culprit: number,
): Proportion | null {
  const hypothesis = plan.hypotheses.indexOf(culprit);
  const isBad = (build: number) => {
    const under = plan.question.builds[build] ?? 0;
    return typeof under === 'number' ? hypothesis < under : under.includes(hypothesis);
  };
  let [failures, runs] = [0, 0];
  for (const [build, done] of tallyOf(plan, state).runs.entries()) {
    if (!done || !isBad(build)) continue;
    failures += done.failures;
    runs += done.failures + done.passes;
  }
  return runs > 0 ? proportion(failures, runs) : null;
}

/** The signatures of the failing runs of a change; of all failing runs if the change itself never ran. */
export function findingsOf(state: BisectionState, id: string): Culprit['findings'] {
  const bad = state.runs.filter(({ outcome }) => outcome === 'bad');
  const own = bad.filter(({ change }) => change === id);
  const counts = new Map<string, number>();
  for (const { signatures } of own.length > 0 ? own : bad) {
    for (const one of new Set(signatures)) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return [...counts]
    .map(([signature, runs]) => ({ signature, runs }))
    .sort((a, b) => b.runs - a.runs);
}

/** Says which failure rates are ruled out after runs without a failure, and how to rule out lower ones. */
export function notSeen(runs: number, { leastRate }: Limits): string {
  const most = proportion(0, Math.max(runs, 1), 0.9).interval[1];
  const rare = leastRate / 2;
  return `it never failed in ${runs} runs, so its failure rate is below ${percent(most)} (with 95 % confidence); to see a failure in 1 of ${Math.round(1 / rare)} runs would take ${runsToSee(rare)} runs: --least-rate ${Number(rare.toPrecision(2))}`;
}

/** `3.4 %` */
export function percent(share: number): string {
  const of100 = share * 100;
  const digits = of100 > 0 && of100 < 10 ? 1 : of100 > 99 && of100 < 100 ? 2 : 0;
  return `${of100.toFixed(digits)} %`;
}
