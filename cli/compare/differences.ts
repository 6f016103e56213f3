import { reasonClass, signature } from '../findings/signature.js';
import { type CellName, cellKey } from '../results/case.js';
import type {
  CellResult,
  ComparedCase,
  CompareUnit,
  Difference,
  SignatureChange,
} from '../results/compare-result.js';
import type { UnitResult } from '../results/run-result.js';
import { BASE } from '../variant/variant.js';
import type { Verdict } from '../verdict/judge.js';

/** All attempts of a cell of a comparison, or of a unit that two runs have in common. */
export interface Attempts extends CellName {
  units: readonly UnitResult[];
  /** The worst verdict; undefined if no attempt ran. */
  verdict: Verdict | undefined;
}

/** The variant that the others are compared with: `base`, or the first one. */
export function referenceOf({ variants }: Pick<ComparedCase, 'variants'>): string {
  const base = variants.find(({ name }) => name === BASE.name) ?? variants[0];
  return base?.name ?? BASE.name;
}

/** The cells that differ from the reference; cells without a difference are left out. */
export function differencesOf(
  compared: Pick<ComparedCase, 'variants' | 'kernels'>,
  cells: readonly CellResult[],
): Difference[] {
  return withBase(compared, cells).flatMap(({ base, cell }) => compareAttempts(base, cell) ?? []);
}

/**
 * Pairs each cell of another variant with the cell of the reference on the same kernel, and the reference on
 * each other kernel with that on the first one.
 */
export function withBase(
  compared: Pick<ComparedCase, 'variants' | 'kernels'>,
  cells: readonly CellResult[],
): { base: CellResult; cell: CellResult }[] {
  const reference = referenceOf(compared);
  const [first] = compared.kernels ?? [];
  const byKey = new Map(cells.map((cell) => [cellKey(cell), cell]));
  return cells.flatMap((cell) => {
    const kernel = cell.variant === reference ? first : cell.kernel;
    const base = byKey.get(cellKey({ ...cell, variant: reference, kernel }));
    return base && base !== cell ? [{ base, cell }] : [];
  });
}

/** undefined if nothing differs, or if one of the cells did not run. */
export function compareAttempts(base: Attempts, cell: Attempts): Difference | undefined {
  if (base.verdict === undefined || cell.verdict === undefined) return undefined;
  const sides = [base, cell].map(({ units }) => units.filter(isDecided));
  const comparable = sides.every((units) => units.length > 0);
  const [before = [], after = []] = sides.map(signaturesOf);
  const missingIn = (list: readonly SignatureChange[]) => (one: SignatureChange) =>
    comparable && !list.some((other) => other.signature === one.signature);
  const appeared = after.filter(missingIn(before));
  const vanished = before.filter(missingIn(after));
  if (base.verdict === cell.verdict && appeared.length + vanished.length === 0) return undefined;
  return {
    fs: cell.fs,
    test: cell.test,
    pmem: cell.pmem,
    powerCut: cell.powerCut,
    base: base.variant,
    variant: cell.variant,
    ...kernelsOf(base, cell),
    verdicts: { base: base.verdict, variant: cell.verdict },
    comparable,
    appeared,
    vanished,
  };
}

/** Nothing if there is only one kernel. */
export function kernelsOf(
  base: CellName,
  cell: CellName,
): Pick<Difference, 'kernel' | 'baseKernel'> {
  const { kernel } = cell;
  return kernel === undefined ? {} : { kernel, baseKernel: base.kernel };
}

/** Whether the verdict says something about the file system. Otherwise no findings can be missed. */
export function isDecided({ verdict }: Pick<UnitResult, 'verdict'>): boolean {
  return verdict === 'pass' || verdict === 'fail';
}

function signaturesOf(units: readonly UnitResult[]): SignatureChange[] {
  const found = new Map<string, SignatureChange>();
  for (const unit of units) {
    const seen = new Set<string>();
    for (const one of signaturesOfUnit(unit)) {
      const known = found.get(one.signature);
      if (!known) found.set(one.signature, changeOf(one, units.length));
      else if (!seen.has(one.signature)) known.attempts += 1;
      seen.add(one.signature);
    }
  }
  return [...found.values()];
}

/** What identifies a failure: its findings, or its reason if no finding is serious. */
export function signaturesOfUnit(
  unit: Pick<CompareUnit, 'findings' | 'verdict' | 'reason'>,
): Pick<SignatureChange, 'signature' | 'severity' | 'message'>[] {
  const serious = unit.findings.some(({ severity }) => severity !== 'notice');
  // If the test itself failed there is no finding, so compare its message.
  const own =
    unit.verdict === 'fail' && !serious
      ? [
          {
            signature: signature('test', reasonClass(unit.reason)),
            severity: 'corruption' as const,
            message: unit.reason,
          },
        ]
      : [];
  return [...own, ...unit.findings];
}

function changeOf(
  {
    signature: name,
    severity,
    message,
  }: Pick<SignatureChange, 'signature' | 'severity' | 'message'>,
  of: number,
): SignatureChange {
  return { signature: name, severity, message, attempts: 1, of };
}
