import type { Finding } from '../findings/finding.js';
import { EXIT } from '../outcome.js';
import type { CellExpectation, CellName, CellSelector, Expected } from '../results/case.js';
import type { Verdict } from '../verdict/judge.js';

/** What was expected of a cell, and whether it came so. */

/** What the last expectation that names this cell says; null where none does. */
export function expectedOf(
  cell: CellName,
  expectations: readonly CellExpectation[],
): Expected | null {
  return expectations.findLast(({ cells }) => selects(cells, cell))?.expected ?? null;
}

export function selects(selector: CellSelector, cell: CellName): boolean {
  return (
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

/** Of what nobody expects anything, nothing is missed. */
export function holds({ verdict, findings }: Judged, expected: Expected | null): boolean {
  if (!expected) return true;
  if (verdict !== expected.verdict) return false;
  return (
    expected.signature === undefined ||
    findings.some(({ signature }) => signature === expected.signature)
  );
}

/** Nothing is known about the file system: neither that it is right nor that it is not. */
export function isUndecided({ verdict }: Pick<Judged, 'verdict'>): boolean {
  return verdict === 'invalid' || verdict === 'error';
}

/**
 * The contract's exit code of `compare`.
 *
 * - 1: a unit came out otherwise than expected. One without a verdict did not: that is 3, so that a
 *   script can tell "the bug is there" from "we could not see".
 * - 3: nothing ran, or a unit has no verdict, unless the case expects exactly that
 * - 0: all else. Where nothing is expected, any verdict will do.
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
