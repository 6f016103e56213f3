import {
  MUTANT_OUTCOMES,
  type MutantEnding,
  type MutantOutcome,
  type MutationScore,
} from '../results/mutation-result.js';
import type { UnitResult } from '../results/run-result.js';
import { proportion } from '../statistics/proportion.js';
import { isSerious } from '../verdict/decision.js';

/** What the results of a mutant's tests mean. Pure. */

type Judged = Pick<UnitResult, 'test' | 'verdict' | 'reason' | 'findings' | 'ending' | 'replay'>;

export type TestedEnding = Pick<MutantEnding, 'outcome' | 'reason' | 'test' | 'finding' | 'replay'>;

/**
 * A mutant is killed only by a test that failed, and survives only tests that all passed. Every other verdict shows
 * neither: it may come from the mutant, but it proves nothing.
 *
 * @param results of tests that passed on the unchanged module, in the order in which they ran
 * @param planned the number of tests that should have run, unless one of them failed
 */
export function endingOf(results: readonly Judged[], planned: number): TestedEnding {
  const failed = results.find(({ verdict }) => verdict === 'fail');
  if (failed) return killedBy(failed);
  const undecided = results.find(({ verdict }) => verdict !== 'pass');
  if (undecided) {
    const { test, verdict, reason, replay } = undecided;
    return {
      ...{ outcome: 'no-verdict', test, finding: null, replay },
      reason: `${verdict} in ${test}: ${reason}`,
    };
  }
  const nothing = { test: null, finding: null, replay: null };
  return results.length < planned || planned === 0
    ? {
        ...{ outcome: 'no-verdict', ...nothing },
        reason: `only ${results.length} of ${planned} tests ran`,
      }
    : { outcome: 'survived', ...nothing, reason: `all ${planned} tests passed` };
}

/**
 * The outcome that a mutant would have without power cuts; null if no test had any. The tests without come first, so
 * a mutant whose power was cut has run all of them.
 */
export function outcomeWithoutCuts(
  results: readonly (Judged & Pick<UnitResult, 'powerCut'>)[],
  planned: readonly { powerCut: boolean }[],
): MutantOutcome | null {
  if (!mixesCuts(planned)) return null;
  const without = planned.filter(({ powerCut }) => !powerCut).length;
  return endingOf(
    results.filter(({ powerCut }) => powerCut === undefined),
    without,
  ).outcome;
}

/** Whether tests run both with and without power cuts. */
export function mixesCuts(planned: readonly { powerCut: boolean }[]): boolean {
  return new Set(planned.map(({ powerCut }) => powerCut)).size > 1;
}

function killedBy({ test, reason, findings, ending, replay }: Judged): TestedEnding {
  const [finding] = findings.filter(isSerious);
  const late = ending === 'hang' || ending === 'unit-timeout' || reason === 'the test timed out';
  return {
    outcome: late && !finding ? 'timed-out' : 'killed',
    ...{ test, reason, replay },
    finding: finding
      ? { tool: finding.tool, signature: finding.signature, message: finding.message }
      : null,
  };
}

/** How many results without a verdict from the start show that the others would have none either. */
const HOPELESS = 3;

/** Whether the next test of a mutant should still run. */
export function shouldGoOn(results: readonly Pick<Judged, 'verdict'>[]): boolean {
  if (results.some(({ verdict }) => verdict === 'fail')) return false;
  return results.length < HOPELESS || results.some(({ verdict }) => verdict === 'pass');
}

export function scoreOf(mutants: readonly { outcome: MutantOutcome }[]): MutationScore {
  const counts = Object.fromEntries(
    MUTANT_OUTCOMES.map((one) => [one, mutants.filter(({ outcome }) => outcome === one).length]),
  ) as MutationScore['counts'];
  const detected = counts.killed + counts['timed-out'];
  const { survived } = counts;
  const decided = detected + survived;
  return { detected, survived, score: decided > 0 ? proportion(detected, decided) : null, counts };
}

export function scoreWithoutCuts(
  mutants: readonly Pick<MutantEnding, 'withoutPowerCut'>[],
): MutationScore | null {
  const outcomes = mutants.flatMap(({ withoutPowerCut: outcome }) =>
    outcome === null ? [] : [{ outcome }],
  );
  return outcomes.length > 0 ? scoreOf(outcomes) : null;
}

/** The exit code, as that of `run`: what is red there is a survivor here. */
export function exitCodeOfMutants({ counts, detected }: MutationScore): 0 | 1 | 3 {
  if (counts.survived > 0) return 1;
  return detected > 0 && counts['no-verdict'] === 0 ? 0 : 3;
}
