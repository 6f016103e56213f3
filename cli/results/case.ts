import type { FileSystem } from '../file-systems.js';
import type { PmemKind } from '../guest/machine.js';
import type { Variant } from '../variant/variant.js';
import type { Verdict } from '../verdict/judge.js';

/** A requested comparison, from a case file or flags. It is checked; nothing has been looked up yet. */
export interface Case {
  /** The path of the case file; null for a comparison from flags. */
  file: string | null;
  title: string | null;
  /** The first kernel. */
  kernel: string;
  /** The kernels side by side, in order; only if there are several. They are words of `--kernel`. */
  kernels?: readonly string[] | undefined;
  /** The value of `--suite`; a directory is absolute. */
  suite: string;
  /** At least one; names are unique. */
  variants: Variant[];
  fileSystems: FileSystem[];
  /** Ids without duplicates, including those of groups. */
  tests: string[];
  pmem: PmemKind[];
  /** Whether power is cut: [false, true] runs each test both ways. */
  powerCut: boolean[];
  options: CaseOptions;
  /** In the file's order. The last one that covers a cell counts. */
  expectations: CellExpectation[];
}

/** Options for all units, or by file system. They are texts, for `checkRequest`. */
export interface CaseOptions {
  timeout?: string | undefined;
  size?: PerFileSystem | undefined;
  mkfsOpts?: PerFileSystem | undefined;
  mountOpts?: PerFileSystem | undefined;
  control?: boolean | undefined;
  /** Where test files are: the case file's directory. */
  testsFrom?: string | undefined;
  with?: string | undefined;
  for?: string | undefined;
  cpus?: string | undefined;
  memory?: string | undefined;
  append?: string | undefined;
  sysctl?: string[] | undefined;
  debug?: string[] | undefined;
  partition?: boolean | undefined;
  stack?: string | undefined;
  poison?: string[] | undefined;
  logDevice?: boolean | undefined;
  rtDevice?: boolean | undefined;
  logwrites?: boolean | undefined;
  /** Where the guest's programs come from; directories are absolute. */
  userland?: string | undefined;
  e2fsprogs?: string | undefined;
  xfsprogs?: string | undefined;
}

export type PerFileSystem = Partial<Record<FileSystem, string | undefined>>;

export interface Expected {
  verdict: Verdict;
  /** With `fail` only: the unit must have a finding with this signature. */
  signature?: string;
}

/** The expectation of these cells. An absent coordinate means all of its values. */
export interface CellExpectation {
  cells: CellSelector;
  expected: Expected;
}

export interface CellSelector {
  kernels?: readonly string[] | undefined;
  variants?: readonly string[] | undefined;
  fileSystems?: readonly string[] | undefined;
  tests?: readonly string[] | undefined;
  pmem?: readonly string[] | undefined;
  powerCut?: boolean | undefined;
}

/** The coordinates of a cell in the table of results. */
export interface CellName {
  variant: string;
  fs: FileSystem;
  test: string;
  pmem: PmemKind;
  /** Whether the guest's power is cut. */
  powerCut: boolean;
  /** Its word of `--kernel`; only if there are several kernels. */
  kernel?: string | undefined;
}

/** A unique key of a cell, for maps. */
export function cellKey({ variant, fs, test, pmem, powerCut, kernel }: CellName): string {
  return JSON.stringify([variant, fs, test, pmem, powerCut, kernel]);
}

/** A key of the cell's row. */
export function rowKey(cell: CellName): string {
  return cellKey({ ...cell, variant: '', kernel: undefined });
}

/** A column of the table: a variant, on one kernel if there are several. */
export interface Column {
  kernel?: string | undefined;
  variant: string;
}

/** All columns in order: the variants of each kernel next to each other. */
export function columnsOf({
  kernels = [],
  variants,
}: Pick<Case, 'kernels' | 'variants'>): Column[] {
  const all = kernels.length > 1 ? kernels : [undefined];
  return all.flatMap((kernel) =>
    variants.map(({ name }) =>
      kernel === undefined ? { variant: name } : { kernel, variant: name },
    ),
  );
}

/** The name of a column: `v2`, or of several kernels `debian:6.1` and `debian:6.1 v2`. */
export function columnTitle({ kernel, variant }: Column, variants: number): string {
  if (kernel === undefined) return variant;
  return variants > 1 ? `${kernel} ${variant}` : kernel;
}

/**
 * All cells in the order of the table: row by row, with the columns of a row next to each other, so
 * that compared cells run close together in time.
 */
export function cellNames({ kernels, variants, rows, ...all }: CellsOf): CellName[] {
  const columns = columnsOf({ kernels, variants });
  return (rows ?? allRows(all)).flatMap((row) => columns.map((column) => ({ ...column, ...row })));
}

/** Each test on each file system and each kind of persistent memory, with power cuts or without. */
export function allRows({ fileSystems, tests, pmem, powerCut }: Pick<Case, RowsOf>): Row[] {
  return fileSystems.flatMap((fs) =>
    tests.flatMap((test) =>
      pmem.flatMap((kind) => powerCut.map((cut) => ({ fs, test, pmem: kind, powerCut: cut }))),
    ),
  );
}

/** The fields of a case that make up its rows. */
export type RowsOf = 'fileSystems' | 'tests' | 'pmem' | 'powerCut';

export type Row = Omit<CellName, 'variant' | 'kernel'>;

interface CellsOf extends Pick<Case, 'kernels' | 'variants' | RowsOf> {
  /** The existing rows, if not every test applies to every file system. */
  rows?: readonly Row[];
}
