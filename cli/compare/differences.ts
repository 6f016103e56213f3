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

/** All attempts at one thing: a cell of a comparison, or what two runs have in common. */
export interface Attempts extends CellName {
  units: readonly UnitResult[];
  /** The worst; undefined where none ran. */
  verdict: Verdict | undefined;
}

/** The variant that the others are compared with: `base`, or the first. */
export function referenceOf({ variants }: Pick<ComparedCase, 'variants'>): string {
  const base = variants.find(({ name }) => name === BASE.name) ?? variants[0];
  return base?.name ?? BASE.name;
}

/** Only what differs is in it. */
export function differencesOf(
  compared: Pick<ComparedCase, 'variants'>,
  cells: readonly CellResult[],
): Difference[] {
  return withBase(compared, cells).flatMap(({ base, cell }) => compareAttempts(base, cell) ?? []);
}

/** Each cell of another variant, with that of the reference. */
export function withBase(
  compared: Pick<ComparedCase, 'variants'>,
  cells: readonly CellResult[],
): { base: CellResult; cell: CellResult }[] {
  const reference = referenceOf(compared);
  const byKey = new Map(cells.map((cell) => [cellKey(cell), cell]));
  return cells.flatMap((cell) => {
    const base = byKey.get(cellKey({ ...cell, variant: reference }));
    return base && cell.variant !== reference ? [{ base, cell }] : [];
  });
}

/** undefined where nothing differs, or one of them did not run. */
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
    verdicts: { base: base.verdict, variant: cell.verdict },
    comparable,
    appeared,
    vanished,
  };
}

/** Whether it says something about the file system; what does not has no findings that could be missing. */
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

/** What a unit's failure can be told by: its findings, or where it has none that is serious, its reason. */
export function signaturesOfUnit(
  unit: Pick<CompareUnit, 'findings' | 'verdict' | 'reason'>,
): Pick<SignatureChange, 'signature' | 'severity' | 'message'>[] {
  const serious = unit.findings.some(({ severity }) => severity !== 'notice');
  // A test that failed by itself left no finding; its words are what can be compared.
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
