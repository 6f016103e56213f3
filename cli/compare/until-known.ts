import type { Unit } from '../plan/unit.js';
import { cellKey } from '../results/case.js';
import { type ComparedCase, type CompareUnit, cellResults } from '../results/compare-result.js';
import { cellNameOf } from './plan.js';
import { compareRates, levelAt, nextLook } from './rates.js';

/**
 * Runs the attempts of a comparison in rounds, until the failure rate of each variant differs from the
 * reference's, or the attempts are used up. A decided pair gets no more attempts.
 *
 * @param units all attempts that may be run
 * @param run runs some of them
 */
export async function runUntilKnown(
  compared: ComparedCase,
  units: readonly Unit[],
  run: (units: readonly Unit[]) => Promise<CompareUnit[]>,
  signal: AbortSignal,
): Promise<CompareUnit[]> {
  const most = Math.max(...units.map(({ attempt }) => attempt));
  const results: CompareUnit[] = [];
  let open: ReadonlySet<string> | undefined;
  for (let done = 0; done < most && !signal.aborted; ) {
    const until = Math.min(nextLook(done), most);
    const due = units.filter(
      (unit) =>
        unit.attempt > done &&
        unit.attempt <= until &&
        (open?.has(cellKey(cellNameOf(unit))) ?? true),
    );
    results.push(...(await run(due)));
    done = until;
    open = undecided(compared, results);
    if (open.size === 0) break;
  }
  return results;
}

/** The cells that need more attempts: those of undecided pairs. */
function undecided(compared: ComparedCase, results: readonly CompareUnit[]): Set<string> {
  const cells = cellResults({ case: compared, units: [...results] });
  const open = compareRates(compared, cells, levelAt).filter(
    ({ conclusion }) => conclusion === 'undecided',
  );
  return new Set(
    open.flatMap((one) => [
      cellKey({ ...one, variant: one.base, kernel: one.baseKernel }),
      cellKey({ ...one, variant: one.variant }),
    ]),
  );
}
