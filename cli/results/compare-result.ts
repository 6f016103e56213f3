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

/** A comparison's outcome, as the contract's JSON has it; more is added. */
export interface CompareResult extends RunResult {
  case: ComparedCase;
  units: CompareUnit[];
  /** What is different from the first variant, or from the one that is called base. */
  differences: Difference[];
  /** Of cells with several attempts: whether their failure rates are told apart. */
  rates: RateComparison[];
  tools: NonNullable<RunResult['tools']>;
}

export interface ComparedCase
  extends Pick<Case, 'file' | 'title' | 'kernel' | 'variants' | RowsOf> {
  /** Of a report of several runs: see `cellNames`. */
  rows?: readonly Row[];
}

export interface CompareUnit extends UnitResult {
  expected: Expected | null;
  held: boolean;
  /** Why there was nothing to run: the variant could not be applied or built. */
  failure?: Failure;
}

/** All attempts of one cell. */
export interface CellResult extends CellName {
  /** Empty where an interruption came before. */
  units: CompareUnit[];
  /** The worst; undefined where none ran. */
  verdict: Verdict | undefined;
  expected: Expected | null;
  held: boolean;
}

/** The cell that a unit is of. */
export function cellOf({ variant, fs, test, pmem, powerCut }: UnitResult): CellName {
  return { variant, fs: fs as FileSystem, test, pmem, powerCut: powerCut !== undefined };
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

/** What a variant changes: not that something fails, but what appeared and what vanished. */

export interface Difference {
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  powerCut: boolean;
  /** The names of the two variants. */
  base: string;
  variant: string;
  verdicts: { base: Verdict; variant: Verdict };
  /** Where a side has no verdict, nothing can be said about findings: both lists are empty. */
  comparable: boolean;
  appeared: SignatureChange[];
  vanished: SignatureChange[];
}

export interface SignatureChange {
  /** A finding's, or `test:` and the class of what a failed test says of itself. */
  signature: string;
  severity: Severity;
  /** The first one's. May hold words of the guest: escape it before printing. */
  message: string;
  /** In so many of the attempts. */
  attempts: number;
  of: number;
}

/** Whether a variant fails more or less often than the one that it is compared with. Pure. */

export interface RateComparison {
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  powerCut: boolean;
  /** The names of the two variants. */
  base: string;
  variant: string;
  /** Of the attempts that passed or failed, how many failed. */
  failures: { base: Count; variant: Count };
  /** Fisher's exact test, two-sided. */
  p: number;
  /** The variant's rate less the base's, and its 95 % interval. */
  difference: { rate: number; interval: [low: number, high: number] };
  /** `undecided` says nothing: neither that they differ nor that they are the same. */
  conclusion: 'fails-less' | 'fails-more' | 'undecided';
  /** Where it is undecided: runs of each that would tell, if the rates are what they seem. */
  runsNeeded: number | null;
}
