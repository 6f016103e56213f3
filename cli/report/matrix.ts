import { basename, join } from 'node:path';
import { differencesOf } from '../compare/differences.js';
import { holds } from '../compare/expectations.js';
import { compareRates } from '../compare/rates.js';
import { allRows, columnTitle, rowKey as keyOfRow, type RowsOf } from '../results/case.js';
import {
  type ComparedCase,
  type CompareResult,
  type CompareUnit,
  cellOf,
  cellResults,
} from '../results/compare-result.js';
import type { KeptResult } from '../results/read.js';
import { type UnitResult, worstVerdict } from '../results/run-result.js';
import { countRepeats } from '../run/repeats.js';
import { BASE } from '../variant/variant.js';

/**
 * Runs and comparisons as one matrix: file systems and tests down, variants across, with separate columns
 * for each kernel. A test that two runs ran gets two columns, because attempts of different runs are not
 * counted together. Pure.
 */

export type KeptMatrix = Exclude<KeptResult, { kind: 'bisect' }>;

export interface Matrix extends CompareResult {
  units: MatrixUnit[];
  /** The directories of the results, in the order of the command line. */
  directories: string[];
  commands: string[][];
}

export interface MatrixUnit extends CompareUnit {
  /** The run's directory, and the unit's files in it as named in the result. */
  source: { directory: string; artifacts: Record<string, string> };
  /** Sorts units by result, then in the result's order. */
  order: number;
}

/** @param kept at least one */
export function matrixOf(kept: readonly [KeptMatrix, ...KeptMatrix[]]): Matrix {
  const [first, ...others] = kept;
  const columns = columnsOf(kept);
  const names = columnNames(columns);
  const units = columns
    .flatMap((column, at) =>
      column.units.map((unit) => ({ ...unit, variant: names[at] ?? unit.variant })),
    )
    .sort((a, b) => a.order - b.order);
  const compared: ComparedCase = {
    file: first.kind === 'compare' && others.length === 0 ? first.result.case.file : null,
    title: titleOf(kept),
    kernel: first.result.units[0]?.kernel.spec ?? '',
    ...(first.kind === 'compare' && others.length === 0 ? kernelsOf(first.result.case) : {}),
    variants: columns.map(({ changes, steps }, at) => ({
      name: names[at] ?? '',
      changes,
      ...(steps === undefined ? {} : { steps }),
    })),
    ...rowsOf(kept, units),
  };
  const sum = kept.reduce((seconds, { result }) => seconds + result.durationSeconds, 0);
  const matrix: Matrix = {
    ...first.result,
    verdict: worstVerdict(units),
    case: compared,
    units,
    repeats: countRepeats(units),
    differences: [],
    rates: [],
    tools: toolsOf(kept),
    durationSeconds: sum,
    directory: kept.map(({ directory }) => directory).join(', '),
    directories: kept.map(({ directory }) => directory),
    commands: kept.map(({ result }) => result.command),
  };
  if (first.kind === 'compare' && others.length === 0) {
    // The comparison knows the significance level of its interim tests.
    return { ...matrix, differences: first.result.differences, rates: first.result.rates };
  }
  const cells = cellResults(matrix);
  return {
    ...matrix,
    differences: differencesOf(compared, cells),
    rates: compareRates(compared, cells),
  };
}

function kernelsOf({ kernels }: ComparedCase): Pick<ComparedCase, 'kernels'> {
  return kernels === undefined ? {} : { kernels };
}

/** Every version that one of the runs used. */
function toolsOf(kept: readonly KeptMatrix[]): Matrix['tools'] {
  const versions = (of: keyof Matrix['tools']) =>
    [...new Set(kept.flatMap(({ result: { tools = {} } }) => tools[of] ?? []))].join(', ');
  const names = ['e2fsprogs', 'e2fsprogsFrom', 'xfsprogs', 'xfsprogsFrom', 'userland'] as const;
  const known = names.map((name) => [name, versions(name)]).filter(([, text]) => text);
  return Object.fromEntries(known);
}

interface Column {
  variant: string;
  kernel: { spec: string; release: string; id: string };
  changes: readonly string[];
  steps: number | undefined;
  units: MatrixUnit[];
  /** The number of the result, from 1. */
  from: number;
}

function columnsOf(kept: readonly KeptMatrix[]): Column[] {
  const columns: Column[] = [];
  for (const [index, one] of kept.entries()) {
    const own = ownColumns(one, index + 1, kept.length > 1);
    for (const column of own) {
      const same = columns.find((other) => continues(other, column));
      if (same) same.units.push(...column.units);
      else columns.push(column);
    }
  }
  return columns;
}

/**
 * Whether a run continues another in the same column: the same unchanged kernel, and no test that both
 * ran. With changes it stays separate, because files of the same name may differ.
 */
function continues(column: Column, next: Column): boolean {
  const ran = new Set(column.units.map(rowKey));
  return (
    column.from !== next.from &&
    [column, next].every(({ variant, changes }) => variant === BASE.name && changes.length === 0) &&
    column.kernel.id === next.kernel.id &&
    column.kernel.release === next.kernel.release &&
    !next.units.some((unit) => ran.has(rowKey(unit)))
  );
}

function ownColumns(
  { kind, result, directory }: KeptMatrix,
  from: number,
  several: boolean,
): Column[] {
  const units: readonly UnitResult[] = result.units;
  const variants =
    kind === 'compare'
      ? result.case.variants
      : [...new Set(units.map(({ variant }) => variant))].map((name) => ({
          name,
          ...changesOf(name, result.command),
        }));
  // Of several results, only one column for each kernel and variant together can be named.
  const axis = several && kind === 'compare' ? result.case.kernels : undefined;
  const order = new Map(units.map((unit, at) => [unit, from * 1e6 + at]));
  return (axis ?? [undefined]).flatMap((kernel) =>
    variants.map(({ name, changes, steps }) => {
      const own = units.filter(
        (unit) => unit.variant === name && (kernel === undefined || unit.kernel.asked === kernel),
      );
      return {
        variant: columnTitle({ kernel, variant: name }, variants.length),
        kernel: own[0]?.kernel ?? { spec: '', release: '', id: '' },
        ...{ changes, steps, from },
        units: own.map((unit) => ({
          ...matrixUnit(several ? withoutKernel(unit) : unit, directory, several),
          order: order.get(unit) ?? 0,
        })),
      };
    }),
  );
}

/** The column's name has it. */
function withoutKernel(unit: UnitResult): UnitResult {
  const { asked: _, ...kernel } = unit.kernel;
  return { ...unit, kernel };
}

/** The changes of a run, from its command line. */
function changesOf(variant: string, command: readonly string[]) {
  if (variant === BASE.name) return { changes: [], steps: undefined };
  const valuesOf = (option: string) =>
    command.flatMap((word, at) => {
      if (word === option) return command.slice(at + 1, at + 2);
      return word.startsWith(`${option}=`) ? [word.slice(option.length + 1)] : [];
    });
  const steps = Number(valuesOf('--steps').at(-1) ?? Number.NaN);
  return { changes: valuesOf('--patch'), steps: Number.isSafeInteger(steps) ? steps : undefined };
}

function matrixUnit(
  unit: UnitResult & Partial<CompareUnit>,
  directory: string,
  several: boolean,
): Omit<MatrixUnit, 'order'> {
  const { expectedFailure } = unit;
  const expected = unit.expected ?? (expectedFailure ? { verdict: 'fail' as const } : null);
  const images = unit.images?.map((image) =>
    image.file === undefined ? image : { ...image, file: join(directory, image.file) },
  );
  return {
    ...unit,
    expected,
    held: unit.held ?? expectedFailure?.held ?? holds(unit, expected),
    ...(several && images ? { images } : {}),
    source: { directory, artifacts: unit.artifacts },
  };
}

/** The shortest distinct names for the columns, if need be by the number of the run. */
function columnNames(columns: readonly Column[]): string[] {
  const names = columns.map(({ variant, changes }) =>
    variant === 'patched' && changes.length > 0
      ? changes.map((file) => basename(file)).join(' + ')
      : variant,
  );
  const alone = new Set(columns.map(({ from }) => from)).size === 1;
  if (alone) return columns.map(({ variant }) => variant);
  const ways: ((column: Column) => string)[] = [
    ({ kernel }) => kernel.spec,
    ({ kernel }) => `${kernel.spec} ${kernel.release}`,
    ({ from }) => `run ${from}`,
  ];
  return names.map((name, at) => {
    const alike = columns.filter((_, other) => names[other] === name);
    if (alike.length === 1) return name;
    const tells = ways.find((way) => new Set(alike.map(way)).size === alike.length);
    const column = columns[at] as Column;
    return `${name}, ${tells?.(column) ?? `run ${column.from}`}`;
  });
}

function titleOf(kept: readonly KeptMatrix[]): string | null {
  const titles = new Set(
    kept.map((one) => (one.kind === 'compare' ? one.result.case.title : null)),
  );
  const [only] = titles;
  return titles.size === 1 ? (only ?? null) : null;
}

/** Rows in order of appearance, without those that no run ran. */
function rowsOf(kept: readonly KeptMatrix[], units: readonly UnitResult[]) {
  const cases = kept.map((one) =>
    one.kind === 'compare'
      ? one.result.case
      : { fileSystems: [], tests: [], pmem: [], powerCut: [] },
  );
  const each = <T>(named: readonly T[], ran: readonly T[]): T[] => [...new Set([...named, ...ran])];
  const fileSystems = each<string>(
    cases.flatMap((one) => one.fileSystems),
    units.map(({ fs }) => fs),
  );
  const tests = each<string>(
    cases.flatMap((one) => one.tests),
    units.map(({ test }) => test),
  );
  const pmem = each<string>(
    cases.flatMap((one) => one.pmem),
    units.map((unit) => unit.pmem),
  );
  const powerCut = each(
    cases.flatMap((one) => one.powerCut),
    units.map((unit) => unit.powerCut !== undefined),
  ).sort();
  const all = { fileSystems, tests, pmem, powerCut } as Pick<ComparedCase, RowsOf>;
  if (kept.length === 1 && kept[0]?.kind === 'compare') return all;
  const ran = new Set(units.map(rowKey));
  const rows = allRows(all).filter((row) => ran.has(keyOfRow({ ...row, variant: '' })));
  return { ...all, rows };
}

function rowKey(unit: UnitResult): string {
  return keyOfRow(cellOf(unit));
}
