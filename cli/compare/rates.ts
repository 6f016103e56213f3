import type { CellResult, ComparedCase, RateComparison } from '../results/compare-result.js';
import { type Count, difference, fisherTest, runsToTell } from '../statistics/fisher.js';
import { type Attempts, kernelsOf, withBase } from './differences.js';

/** The significance level: the probability of calling two equal rates different. */
export const LEVEL = 0.05;

/** The attempts of each cell before the first interim test; the number doubles: 5, 10, 20, 40 … */
const FIRST_LOOK = 5;

/**
 * The significance level of the interim test after this many attempts. Repeated tests would find a
 * difference in the end, so the levels of all tests sum to LEVEL: 1/2 + 1/6 + 1/12 + … = 1.
 */
export function levelAt(attempts: number): number {
  const look = Math.max(1, Math.ceil(Math.log2(attempts / FIRST_LOOK)) + 1);
  return LEVEL / (look * (look + 1));
}

/** The number of attempts before the next interim test. */
export function nextLook(attempts: number): number {
  return attempts < FIRST_LOOK ? FIRST_LOOK : attempts * 2;
}

/** Compares cells that have several attempts with the reference. Attempts without a verdict do not count. */
export function compareRates(
  compared: Pick<ComparedCase, 'variants' | 'kernels'>,
  cells: readonly CellResult[],
  level: (attempts: number) => number = () => LEVEL,
): RateComparison[] {
  return withBase(compared, cells).flatMap(({ base, cell }) => rateOf(base, cell, level) ?? []);
}

/** undefined if a side has no verdict, or if each side has only one: that is not a rate. */
export function rateOf(
  base: Attempts,
  cell: Attempts,
  level: (attempts: number) => number = () => LEVEL,
): RateComparison | undefined {
  const failures = { base: countOf(base), variant: countOf(cell) };
  if (failures.base.trials === 0 || failures.variant.trials === 0) return undefined;
  if (failures.base.trials + failures.variant.trials <= 2) return undefined;
  const { fs, test, pmem, powerCut, variant } = cell;
  const attempts = Math.max(base.units.length, cell.units.length);
  const p = fisherTest(failures.base, failures.variant);
  const known = p < level(attempts);
  const change = difference(failures.base, failures.variant);
  const needed = runsToTell(failures.base, failures.variant, level(attempts));
  return {
    ...{ fs, test, pmem, powerCut, base: base.variant, variant, ...kernelsOf(base, cell) },
    ...{ failures, p, difference: change },
    conclusion: !known ? 'undecided' : change.rate < 0 ? 'fails-less' : 'fails-more',
    runsNeeded: known ? null : (needed ?? null),
  };
}

/** Counts the failures among the attempts that passed or failed. */
export function countOf({ units }: Pick<Attempts, 'units'>): Count {
  const hits = units.filter(({ verdict }) => verdict === 'fail').length;
  return { hits, trials: hits + units.filter(({ verdict }) => verdict === 'pass').length };
}
