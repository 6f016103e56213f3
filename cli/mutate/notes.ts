import type { BaseTest, Mutant, TestedMutant } from '../results/mutation-result.js';
import { formatSeconds } from '../words.js';
import type { MutationState } from './state.js';

/** Progress in words. */
export function noteOf(
  what: BaseTest | TestedMutant,
  state: MutationState,
  { tests, mutants }: { tests: number; mutants: readonly Mutant[] },
): string {
  if (!('operator' in what)) return describeBase(what, state.base.length, tests);
  const { number, operator, file, line, outcome, reason, buildSeconds, seconds } = what;
  const done = `[${state.mutants.length}/${mutants.length}]`;
  const killer = outcome === 'killed' && what.test !== null ? ` by ${what.test}` : '';
  const took = formatSeconds(buildSeconds + seconds);
  return `${done} mutant ${number} ${outcome}${killer} in ${took}: ${operator} at ${file}:${line}; ${reason}`;
}

function describeBase(base: BaseTest, done: number, tests: number): string {
  const { test, powerCut, verdict, reason, seconds } = base;
  const how = powerCut ? ' with power cuts' : '';
  const unused = verdict === 'pass' ? '' : `: ${reason}; it kills no mutants`;
  return `[${done}/${tests}] unchanged module: ${verdict} ${test}${how} in ${formatSeconds(seconds)}${unused}`;
}
