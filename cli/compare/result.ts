import { groupBy } from '../group-by.js';
import type { Failure } from '../outcome.js';
import type { FileSystem } from '../plan/unit.js';
import type { RunResult, UnitResult } from '../run/result.js';
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
import type { Difference } from './differences.js';
import type { RateComparison } from './rates.js';

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
