import { signaturesOfUnit } from '../compare/differences.js';
import type { UnitResult } from '../results/run-result.js';

/** What one run says about the bug. */

export type RunOutcome =
  /** The failure was not there; the test ran to its end, on what was asked for. */
  | 'good'
  /** The failure was there. */
  | 'bad'
  /** The run shows neither: it did not boot, DAX was off, or another failure came first. */
  | 'unknown'
  /** The cause is outside of the kernel: no disk space, no QEMU. */
  | 'broken';

/** Endings of a guest that say nothing about its kernel. */
const NOT_THE_KERNELS: readonly string[] = ['storage', 'qemu-died', 'restore-failed'];

type Judged = Pick<UnitResult, 'verdict' | 'ending' | 'findings' | 'reason'>;

/** @param signature the finding that makes a run bad; without it, every failure does */
export function outcomeOf(unit: Judged, signature?: string): RunOutcome {
  switch (unit.verdict) {
    case 'pass':
      return 'good';
    case 'fail':
      if (signature === undefined) return 'bad';
      if (signaturesOfUnit(unit).some((one) => one.signature === signature)) return 'bad';
      // Another bug is no obstacle unless it ended the test: the failure might have come later.
      return unit.ending === 'finished' ? 'good' : 'unknown';
    case 'error':
      return NOT_THE_KERNELS.includes(unit.ending) ? 'broken' : 'unknown';
    default:
      return 'unknown';
  }
}

/** One bad run makes them all bad. They are good only if none of them is broken or unknown. */
export function outcomeOfAll(outcomes: readonly RunOutcome[]): RunOutcome {
  for (const one of ['bad', 'broken', 'unknown'] as const) if (outcomes.includes(one)) return one;
  return outcomes.length > 0 ? 'good' : 'unknown';
}
