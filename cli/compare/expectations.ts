import type { Finding } from '../findings/finding.js';
import { EXIT } from '../outcome.js';
import type { CellExpectation, CellName, CellSelector, Expected } from '../results/case.js';
import type { Verdict } from '../verdict/judge.js';

/** Expectations of cells, and whether they hold. */

/** The last expectation that covers this cell; null if none does. */
export function expectedOf(
  cell: CellName,
  expectations: readonly CellExpectation[],
): Expected | null {
  return expectations.findLast(({ cells }) => selects(cells, cell))?.expected ?? null;
}

export function selects(selector: CellSelector, cell: CellName): boolean {
  return (
    (selector.kernels?.includes(cell.kernel ?? '') ?? true) &&
    (selector.variants?.includes(cell.variant) ?? true) &&
    (selector.fileSystems?.includes(cell.fs) ?? true) &&
    (selector.tests?.includes(cell.test) ?? true) &&
    (selector.pmem?.includes(cell.pmem) ?? true) &&
    (selector.powerCut === undefined || selector.powerCut === cell.powerCut)
  );
}

interface Judged {
  verdict: Verdict;
  findings: readonly Pick<Finding, 'signature'>[];
}

/** Without an expectation, every result holds. */
export function holds({ verdict, findings }: Judged, expected: Expected | null): boolean {
  if (!expected) return true;
  if (verdict !== expected.verdict) return false;
  return (
    expected.signature === undefined ||
    findings.some(({ signature }) => signature === expected.signature)
  );
}

/** Whether the verdict says nothing about the file system. */
export function isUndecided({ verdict }: Pick<Judged, 'verdict'>): boolean {
  return verdict === 'invalid' || verdict === 'error';
}

/**
 * The contract's exit code of `compare`.
 *
 * - 1: a unit has a verdict, but not the expected one. Without a verdict it is 3, so scripts can tell
 *   "the bug is there" from "no answer".
 * - 3: nothing ran, or a unit has no verdict, unless the case expects exactly that
 * - 0: otherwise. Without an expectation, every verdict is fine.
 */
export function exitCodeOfComparison(
  units: readonly { verdict: Verdict; expected: Expected | null; held: boolean }[],
): number {
  if (units.some((unit) => !unit.held && !isUndecided(unit))) return EXIT.failed;
  const open = units.filter(({ expected, held }) => !(expected && held));
  if (units.length === 0 || open.some(isUndecided)) return EXIT.noVerdict;
  const nothingRan = open.length > 0 && units.every(({ verdict }) => verdict === 'notrun');
  return nothingRan ? EXIT.noVerdict : EXIT.ok;
}
