import type { FileSystem } from '../file-systems.js';
import type { Severity } from '../findings/finding.js';
import { groupBy } from '../group-by.js';
import type { PmemKind } from '../guest/machine.js';
import type { Failure } from '../outcome.js';
import type { Count } from '../statistics/fisher.js';
import { VERDICTS, type Verdict } from '../verdict/judge.js';
import {
  type Case,
  type CellName,
  cellKey,
  cellNames,
  type Expected,
  type Row,
  type RowsOf,
} from './case.js';
import type { RunResult, UnitResult } from './run-result.js';

/** The result of a comparison: the contract's JSON, with additional fields. */
export interface CompareResult extends RunResult {
  case: ComparedCase;
  units: CompareUnit[];
  /** Differences from the variant `base`, or from the first one. */
  differences: Difference[];
  /** For cells with several attempts: whether their failure rates differ. */
  rates: RateComparison[];
  tools: NonNullable<RunResult['tools']>;
}

export interface ComparedCase
  extends Pick<Case, 'file' | 'title' | 'kernel' | 'kernels' | 'variants' | RowsOf> {
  /** In a report of several runs: see `cellNames`. */
  rows?: readonly Row[];
}

export interface CompareUnit extends UnitResult {
  expected: Expected | null;
  held: boolean;
  /** Why the unit could not run: its variant does not apply or build. */
  failure?: Failure;
}

/** All attempts of one cell. */
export interface CellResult extends CellName {
  /** Empty if the comparison was interrupted before. */
  units: CompareUnit[];
  /** The worst verdict; undefined if no attempt ran. */
  verdict: Verdict | undefined;
  expected: Expected | null;
  held: boolean;
}

/** The cell of a unit. */
export function cellOf({ variant, fs, test, pmem, powerCut, kernel }: UnitResult): CellName {
  return {
    ...{ variant, fs: fs as FileSystem, test, pmem, powerCut: powerCut !== undefined },
    ...(kernel.asked === undefined ? {} : { kernel: kernel.asked }),
  };
}

/** Every cell of the case, in the order of the table. */
export function cellResults(result: Pick<CompareResult, 'case' | 'units'>): CellResult[] {
  const byKey = groupBy(result.units, (unit) => cellKey(cellOf(unit)));
  return cellNames(result.case).map((name) => {
    const units = byKey.get(cellKey(name)) ?? [];
    return {
      ...name,
      units,
      verdict: worstOf(units),
      expected: units[0]?.expected ?? null,
      held: units.every(({ held }) => held),
    };
  });
}

function worstOf(units: readonly CompareUnit[]): Verdict | undefined {
  return VERDICTS.findLast((verdict) => units.some((unit) => unit.verdict === verdict));
}

/** The effect of a variant on a cell: findings that appeared or vanished. */

export interface Difference {
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  powerCut: boolean;
  /** The names of the two variants. */
  base: string;
  variant: string;
  /** Of several kernels: that of the variant, and that of the base. */
  kernel?: string | undefined;
  baseKernel?: string | undefined;
  verdicts: { base: Verdict; variant: Verdict };
  /** False if a side has no verdict. Findings cannot be compared then: both lists are empty. */
  comparable: boolean;
  appeared: SignatureChange[];
  vanished: SignatureChange[];
}

export interface SignatureChange {
  /** The signature of a finding, or `test:` and the class of a failed test's message. */
  signature: string;
  severity: Severity;
  /** The message of the first one. It may contain text from the guest: escape it before printing. */
  message: string;
  /** The number of attempts that showed it. */
  attempts: number;
  of: number;
}

/** Whether a variant fails more or less often than the reference. Pure. */

export interface RateComparison {
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  powerCut: boolean;
  /** The names of the two variants. */
  base: string;
  variant: string;
  /** Of several kernels: that of the variant, and that of the base. */
  kernel?: string | undefined;
  baseKernel?: string | undefined;
  /** Failures among the attempts that passed or failed. */
  failures: { base: Count; variant: Count };
  /** Fisher's exact test, two-sided. */
  p: number;
  /** The variant's rate minus the base's, and its 95 % confidence interval. */
  difference: { rate: number; interval: [low: number, high: number] };
  /** `undecided` means that the rates may differ or not. */
  conclusion: 'fails-less' | 'fails-more' | 'undecided';
  /** If undecided: the runs per variant that would decide, if the observed rates are the true ones. */
  runsNeeded: number | null;
}
