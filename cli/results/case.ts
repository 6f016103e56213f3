import type { FileSystem } from '../file-systems.js';
import type { PmemKind } from '../guest/machine.js';
import type { Variant } from '../variant/variant.js';
import type { Verdict } from '../verdict/judge.js';

/** A comparison that is asked for, by a case file or by flags: checked, nothing looked up yet. */
export interface Case {
  /** The case file as it was given; null where flags say it all. */
  file: string | null;
  title: string | null;
  kernel: string;
  /** As `--suite` has it; a directory is absolute. */
  suite: string;
  /** At least one, with names that differ. */
  variants: Variant[];
  fileSystems: FileSystem[];
  /** Ids, each once, those of groups included. */
  tests: string[];
  pmem: PmemKind[];
  /** Whether power is cut: [false, true] runs each test both ways. */
  powerCut: boolean[];
  options: CaseOptions;
  /** In the file's order. Of those that name a cell the last one counts. */
  expectations: CellExpectation[];
}

/** What holds for all units, or for all of one file system. As texts, for `checkRequest`. */
export interface CaseOptions {
  timeout?: string | undefined;
  size?: PerFileSystem | undefined;
  mkfsOpts?: PerFileSystem | undefined;
  mountOpts?: PerFileSystem | undefined;
  control?: boolean | undefined;
}

export type PerFileSystem = Partial<Record<FileSystem, string | undefined>>;

export interface Expected {
  verdict: Verdict;
  /** With `fail` only: a finding of this signature has to be there. */
  signature?: string;
}

/** What is expected of these cells; a coordinate that is absent means all of them. */
export interface CellExpectation {
  cells: CellSelector;
  expected: Expected;
}

export interface CellSelector {
  variants?: readonly string[] | undefined;
  fileSystems?: readonly string[] | undefined;
  tests?: readonly string[] | undefined;
  pmem?: readonly string[] | undefined;
  powerCut?: boolean | undefined;
}

/** What a verdict in the table stands for. */
export interface CellName {
  variant: string;
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  /** Whether its guest's power is cut. */
  powerCut: boolean;
}

/** Different for different cells: to find things by. */
export function cellKey({ variant, fs, test, pmem, powerCut }: CellName): string {
  return JSON.stringify([variant, fs, test, pmem, powerCut]);
}

/**
 * All cells, in the order of the table: row by row, and in a row one for each variant, so that what
 * is compared runs close together.
 */
export function cellNames({ variants, rows, ...all }: CellsOf): CellName[] {
  return (rows ?? allRows(all)).flatMap((row) =>
    variants.map(({ name }) => ({ variant: name, ...row })),
  );
}

/** Each test on each file system and each kind of persistent memory, with power cuts or without. */
export function allRows({ fileSystems, tests, pmem, powerCut }: Pick<Case, RowsOf>): Row[] {
  return fileSystems.flatMap((fs) =>
    tests.flatMap((test) =>
      pmem.flatMap((kind) => powerCut.map((cut) => ({ fs, test, pmem: kind, powerCut: cut }))),
    ),
  );
}

/** What the rows of a case are made of. */
export type RowsOf = 'fileSystems' | 'tests' | 'pmem' | 'powerCut';

export type Row = Omit<CellName, 'variant'>;

interface CellsOf extends Pick<Case, 'variants' | RowsOf> {
  /** Where not every test belongs to every file system: the rows that there are, by file system. */
  rows?: readonly Row[];
}
