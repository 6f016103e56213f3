import { shellQuote } from '../shell-quote.js';
import { percent } from './result.js';
import type { BisectionState } from './state.js';
import type { Subject } from './subject.js';
import { tallyOf } from './tally.js';

/** The notes that a bisection prints while it works. */

export function introduce({ plan, names, request }: Subject, { runs }: BisectionState): string {
  const what = names.series ?? names.tree ?? '';
  const known = runs.length > 0 ? `; ${runs.length} runs are known already` : '';
  return `bisecting ${request.fs} ${request.tests.join(' ')} in ${shellQuote(what)}: ${plan.changes.length} changes, of which ${plan.builds.length - 1} differ in what is built${known}`;
}

export function describeBuild({ builds }: BisectionState): string | undefined {
  const last = builds.at(-1);
  return last && !last.ok ? `skipped ${last.change.slice(0, 12)}: ${last.reason}` : undefined;
}

export function describeRun({ plan }: Subject, state: BisectionState, probability: number): string {
  const { change = '', content, outcome = '', reason } = state.runs.at(-1) ?? {};
  const at = plan.builds.findIndex((build) => build.content === content);
  const { passes = 0, failures = 0 } = tallyOf(plan, state).runs[at] ?? {};
  const all = passes + failures > 1 ? ` (${failures} of ${passes + failures} failed)` : '';
  const why = outcome === 'unknown' ? `: ${reason}` : '';
  return `${outcome} ${change.slice(0, 12)}${all}${why}; the best answer is right with ${percent(probability)}`;
}
