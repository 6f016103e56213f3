import { type Outcome, success } from '../outcome.js';
import type { BaseTest, Mutant, MutantEnding, TestedMutant } from '../results/mutation-result.js';
import { inParallel } from './in-parallel.js';
import { keptEnding, type MutationState } from './state.js';
import { keyOf, type PlannedTest } from './work.js';

/** Runs the tests on the unchanged module, and then on each mutant. It knows nothing about guests. */

export interface Work {
  base: (test: PlannedTest) => Promise<Outcome<BaseTest>>;
  mutant: (mutant: Mutant, tests: readonly PlannedTest[]) => Promise<Outcome<MutantEnding>>;
}

export interface EngineOptions {
  tests: readonly PlannedTest[];
  mutants: readonly Mutant[];
  /** Guests at a time. */
  jobs: number;
  /** Called after each test on the unchanged module, and after each mutant. The state has it. */
  learned: (what: BaseTest | TestedMutant) => void;
}

/** Completes the state. It keeps what it has: those tests and mutants do not run again. */
export async function runMutants(
  state: MutationState,
  work: Work,
  { tests, mutants, jobs, learned }: EngineOptions,
): Promise<Outcome<void>> {
  const unknown = tests.filter((test) => baseOf(state, test) === undefined);
  const based = await inParallel(unknown, jobs, async (test) => {
    const ran = await work.base(test);
    if (!ran.ok) return ran;
    state.base.push(ran.value);
    learned(ran.value);
    return success(undefined);
  });
  if (!based.ok) return based;
  const usable = usableTests(state, tests);
  if (usable.length === 0) return success(undefined);
  const open = mutants.filter(({ diff }) => keptEnding(state, diff) === undefined);
  return inParallel(open, jobs, async (mutant) => {
    const ended = await work.mutant(mutant, usable);
    if (!ended.ok) return ended;
    const tested = { ...mutant, ...ended.value };
    state.mutants.push(tested);
    learned(tested);
    return success(undefined);
  });
}

/**
 * The tests that pass on the unchanged module: a test that does not pass there kills nothing. Those without power cuts
 * come first, which are quicker and show what power cuts add; of each kind the quickest.
 */
export function usableTests(state: MutationState, tests: readonly PlannedTest[]): PlannedTest[] {
  return tests
    .map((test) => ({ test, base: baseOf(state, test) }))
    .filter(({ base }) => base?.verdict === 'pass')
    .sort(
      (a, b) =>
        Number(a.base?.powerCut) - Number(b.base?.powerCut) ||
        (a.base?.seconds ?? 0) - (b.base?.seconds ?? 0),
    )
    .map(({ test }) => test);
}

function baseOf(state: MutationState, test: PlannedTest): BaseTest | undefined {
  const { test: name, powerCut } = keyOf(test);
  return state.base.find((one) => one.test === name && one.powerCut === powerCut);
}
