import type { PmemKind } from '../guest/machine.js';
import type { FileSystem } from '../plan/unit.js';
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
  powerCut?: boolean | undefined;
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
}

/** What a verdict in the table stands for. */
export interface CellName {
  variant: string;
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
}

/** Different for different cells: to find things by. */
export function cellKey({ variant, fs, test, pmem }: Record<keyof CellName, string>): string {
  return JSON.stringify([variant, fs, test, pmem]);
}

/**
 * All cells, in the order of the table: row by row, and in a row one for each variant, so that what
 * is compared runs close together.
 */
export function cellNames({ variants, fileSystems, tests, pmem, rows }: CellsOf): CellName[] {
  return (rows ?? allRows({ fileSystems, tests, pmem })).flatMap((row) =>
    variants.map(({ name }) => ({ variant: name, ...row })),
  );
}

/** Each test on each file system and each kind of persistent memory. */
export function allRows({
  fileSystems,
  tests,
  pmem,
}: Pick<Case, 'fileSystems' | 'tests' | 'pmem'>): Row[] {
  return fileSystems.flatMap((fs) =>
    tests.flatMap((test) => pmem.map((kind) => ({ fs, test, pmem: kind }))),
  );
}

export type Row = Omit<CellName, 'variant'>;

interface CellsOf extends Pick<Case, 'variants' | 'fileSystems' | 'tests' | 'pmem'> {
  /** Where not every test belongs to every file system: the rows that there are, by file system. */
  rows?: readonly Row[];
}
