import { signaturesOfUnit } from '../compare/differences.js';
import type { UnitResult } from '../results/run-result.js';

/** What one run says of the change that is looked for. */

export type RunOutcome =
  /** The failure that is looked for was not there, and the test ran to its end on what was asked for. */
  | 'good'
  /** It was there. */
  | 'bad'
  /** It could not be told: it did not boot, DAX was off, or another failure came before. */
  | 'unknown'
  /** It is not the kernel's doing: no disk, no QEMU. */
  | 'broken';

/** Endings of a guest that say nothing of its kernel. */
const NOT_THE_KERNELS: readonly string[] = ['storage', 'qemu-died', 'restore-failed'];

type Judged = Pick<UnitResult, 'verdict' | 'ending' | 'findings' | 'reason'>;

/** @param signature only this finding counts; else every failure does */
export function outcomeOf(unit: Judged, signature?: string): RunOutcome {
  switch (unit.verdict) {
    case 'pass':
      return 'good';
    case 'fail':
      if (signature === undefined) return 'bad';
      if (signaturesOfUnit(unit).some((one) => one.signature === signature)) return 'bad';
      // With another bug the test still ran, unless that ended it: what came after is not known.
      return unit.ending === 'finished' ? 'good' : 'unknown';
    case 'error':
      return NOT_THE_KERNELS.includes(unit.ending) ? 'broken' : 'unknown';
    default:
      return 'unknown';
  }
}

/** Of several runs: one that is bad decides; what is broken, or not known, keeps the rest from being good. */
export function outcomeOfAll(outcomes: readonly RunOutcome[]): RunOutcome {
  for (const one of ['bad', 'broken', 'unknown'] as const) if (outcomes.includes(one)) return one;
  return outcomes.length > 0 ? 'good' : 'unknown';
}
