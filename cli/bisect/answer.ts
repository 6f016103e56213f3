import type { Answer, Culprit, Ending, Limits } from '../results/bisect-result.js';
import { type BisectionPlan, GOOD } from './plan.js';
import { runsToSee } from './policy.js';
import { findingsOf, notSeen, percent, rateOf } from './result.js';
import type { BisectionState } from './state.js';
import type { Subject } from './subject.js';
import { tallyOf } from './tally.js';

/** The result of a bisection, in words and numbers. Pure. */
export function answerOf(
  plan: BisectionPlan,
  state: BisectionState,
  ending: Ending,
  culprits: Culprit[],
  limits: Limits,
): Answer {
  const nothing = { probability: null, culprits: [], rate: null, runsNeeded: null };
  switch (ending.type) {
    case 'found': {
      const [first] = culprits;
      const which =
        culprits.length > 1
          ? `The first bad change is one of ${culprits.length} that no test can tell apart`
          : `${first?.id} is the first bad change`;
      return {
        ...nothing,
        ending: ending.type,
        summary: `${which}, with a probability of ${percent(ending.probability)}`,
        probability: ending.probability,
        culprits,
        rate: rateOf(plan, state, ending.changes[0] ?? 0),
      };
    }
    case 'gave-up': {
      return {
        ending: ending.type,
        summary: `There are too few runs for an answer: the best candidate has a probability of ${percent(ending.probability)}; about ${ending.needed} more runs are needed`,
        probability: ending.probability,
        culprits,
        rate: rateOf(plan, state, ending.changes[0] ?? 0),
        runsNeeded: ending.needed,
      };
    }
    case 'not-seen': {
      const rare = limits.leastRate / 2;
      return {
        ...nothing,
        ending: ending.type,
        summary: `The bad end does not show the failure: ${notSeen(ending.runs, limits)}`,
        runsNeeded: Math.max(0, runsToSee(rare) - ending.runs),
      };
    }
    case 'good-fails':
      return { ...nothing, ending: ending.type, summary: goodFails(plan, state) };
    case 'bad-untestable':
      return { ...nothing, ending: ending.type, summary: badUntestable(plan, state) };
  }
}

function goodFails(plan: BisectionPlan, state: BisectionState): string {
  const { runs } = tallyOf(plan, state);
  const [good, bad] = [runs[0], runs[plan.bad]].map((one) => {
    const { failures = 0, passes = 0 } = one ?? {};
    return `${failures} of ${failures + passes}`;
  });
  return `The good end has the failure too: it failed in ${good} runs, and the bad end in ${bad}. Give an older good end, or name the finding to look for with --signature`;
}

function badUntestable(plan: BisectionPlan, state: BisectionState): string {
  const content = plan.builds[plan.bad]?.content;
  const why =
    state.builds.find((one) => one.content === content && !one.ok)?.reason ??
    state.runs.findLast((one) => one.content === content)?.reason;
  return `The bad end cannot be tested: ${why ?? 'it does not build'}`;
}

/** The changes that a bisection ended on, with their facts from git and the findings of their runs. */
export async function culpritsOf(
  { plan, facts }: Subject,
  state: BisectionState,
  ending: Ending,
): Promise<Culprit[]> {
  if (!('changes' in ending)) return [];
  const places = ending.changes.filter((change) => change !== GOOD);
  return Promise.all(
    places.map(async (change) => {
      const { id = '', title = '' } = plan.changes[change] ?? {};
      return { id, title, ...(await facts(change)), findings: findingsOf(state, id) };
    }),
  );
}
