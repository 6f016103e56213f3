import type { CellResult, ComparedCase, RateComparison } from '../results/compare-result.js';
import { type Count, difference, fisherTest, runsToTell } from '../statistics/fisher.js';
import { type Attempts, withBase } from './differences.js';

/** The probability of telling two rates apart that are the same. */
export const LEVEL = 0.05;

/** Attempts of each cell after which a look is taken whether it is decided: 5, 10, 20, 40 … */
const FIRST_LOOK = 5;

/**
 * The level at a number of attempts, of a comparison that goes on until it is known. Who looks often
 * finds something in the end: the levels of all looks are 0.05 in sum, by 1/2 + 1/6 + 1/12 + … = 1.
 */
export function levelAt(attempts: number): number {
  const look = Math.max(1, Math.ceil(Math.log2(attempts / FIRST_LOOK)) + 1);
  return LEVEL / (look * (look + 1));
}

/** The attempts at which the next look is due. */
export function nextLook(attempts: number): number {
  return attempts < FIRST_LOOK ? FIRST_LOOK : attempts * 2;
}

/** Of cells with several attempts, each with that of the reference; those without a verdict are left out. */
export function compareRates(
  compared: Pick<ComparedCase, 'variants'>,
  cells: readonly CellResult[],
  level: (attempts: number) => number = () => LEVEL,
): RateComparison[] {
  return withBase(compared, cells).flatMap(({ base, cell }) => rateOf(base, cell, level) ?? []);
}

/** undefined where a side has no verdict, or each has but one: there is no rate to speak of. */
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
    ...{ fs, test, pmem, powerCut, base: base.variant, variant, failures, p, difference: change },
    conclusion: !known ? 'undecided' : change.rate < 0 ? 'fails-less' : 'fails-more',
    runsNeeded: known ? null : (needed ?? null),
  };
}

/** Of the attempts that passed or failed, how many failed. */
export function countOf({ units }: Pick<Attempts, 'units'>): Count {
  const hits = units.filter(({ verdict }) => verdict === 'fail').length;
  return { hits, trials: hits + units.filter(({ verdict }) => verdict === 'pass').length };
}
