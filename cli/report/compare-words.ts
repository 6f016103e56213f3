import { alignColumns } from '../columns.js';
import { referenceOf } from '../compare/differences.js';
import { isUndecided } from '../compare/expectations.js';
import type { Cell } from '../compare/plan.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import { type Column, columnTitle, type Row } from '../results/case.js';
import {
  type CellResult,
  type CompareResult,
  cellResults,
  type Difference,
  type RateComparison,
  type SignatureChange,
} from '../results/compare-result.js';
import type { UnitResult } from '../results/run-result.js';
import { VERDICTS } from '../verdict/judge.js';
import { formatSeconds, plural } from '../words.js';
import { describeFirst, type FindingGroup, groupFindings } from './findings.js';

/** Sentences about a comparison, for all formats. */

/**
 * The cells to explain: failed, without a verdict, or unexpected. A test that applies to no variant, for
 * the same reason, appears once.
 */
export function notableCells(result: CompareResult): { cell: CellResult; title: string }[] {
  const rows = groupBy(cellResults(result), (cell) => rowTitle(cell, result));
  return [...rows].flatMap(([title, row]) => {
    const [cell] = row;
    if (cell && appliesNowhere(row)) return [{ cell, title: `${title}, ${everyColumn(result)}` }];
    return row
      .filter(({ verdict, held }) => !held || (verdict !== undefined && verdict !== 'pass'))
      .map((one) => ({ cell: one, title: cellTitle(one, result) }));
  });
}

function appliesNowhere(row: readonly CellResult[]): boolean {
  const reasons = new Set(row.flatMap(({ units }) => units.map(({ reason }) => reason)));
  const notrun = row.every(({ verdict, held }) => verdict === 'notrun' && held);
  return row.length > 1 && notrun && reasons.size === 1;
}

function everyColumn({ case: { kernels, variants } }: CompareResult): string {
  if (kernels === undefined) return 'every variant';
  return variants.length > 1 ? 'every kernel and variant' : 'every kernel';
}

export function cellTitle(cell: CellResult, result: CompareResult): string {
  return `${rowTitle(cell, result)}, ${escapeForTerminal(columnName(cell, result.case))}`;
}

/** The name of the column of a cell. Not escaped. */
export function columnName(column: Column, { variants }: Pick<CompareResult['case'], 'variants'>) {
  return columnTitle(column, variants.length);
}

/** The same of the cell that it is compared with. */
export function baseName(
  { base, baseKernel }: Pick<Difference, 'base' | 'baseKernel'>,
  compared: Pick<CompareResult['case'], 'variants'>,
): string {
  return columnName({ variant: base, kernel: baseKernel }, compared);
}

/** The title of a row: `ext2 generic/002`, `xfs power-cut/append, with power cuts`. */
export function rowTitle(row: Row, { case: compared }: Pick<CompareResult, 'case'>): string {
  const title = [`${row.fs} ${row.test}`, ...conditionsOf(row, compared)].join(', ');
  return escapeForTerminal(title);
}

/** The conditions that distinguish rows of a test: `nvdimm`, `with power cuts`. */
export function conditionsOf(
  { pmem, powerCut }: Pick<Row, 'pmem' | 'powerCut'>,
  compared: Pick<CompareResult['case'], 'pmem' | 'powerCut'>,
): string[] {
  return [
    ...(compared.pmem.length > 1 ? [pmem] : []),
    ...(compared.powerCut.length > 1 && powerCut ? [WITH_CUTS] : []),
  ];
}

export const WITH_CUTS = 'with power cuts';

/** The expectation, to follow the verdict; empty if there was none. */
export function describeExpectation(cell: Pick<CellResult, 'expected' | 'held'>): string {
  if (!cell.expected) return '';
  if (cell.held) return 'as expected';
  const { verdict, signature } = cell.expected;
  return `expected: ${verdict}${signature === undefined ? '' : ` with ${signature}`}`;
}

/** The attempt to show for a cell: the first with the cell's verdict, preferably an unexpected one. */
export function representativeOf(cell: CellResult): CompareResult['units'][number] | undefined {
  const worst = cell.units.filter(({ verdict }) => verdict === cell.verdict);
  const missed = cell.units.filter(({ held }) => !held);
  return worst.find(({ held }) => !held) ?? (cell.held ? worst[0] : (missed[0] ?? worst[0]));
}

/** The first explanation: of attempts that fail alike, only one is explained. */
export function explanationOf({ units }: CellResult): UnitResult['explanation'] {
  return units.find(({ explanation }) => explanation !== undefined)?.explanation;
}

/** One finding per signature over all attempts, with their number. */
export function countFindings({ units }: CellResult): FindingGroup[] {
  return groupFindings(units.flatMap(({ findings }) => findings));
}

export function describeFinding({ finding, count }: FindingGroup): string {
  return `${count > 1 ? `${count} times, first: ` : ''}${describeFirst(finding)}`;
}

export function describeVerdicts({ verdicts, kernel, baseKernel }: Difference): string {
  const kernels = kernel === baseKernel ? '' : `, compared with ${baseKernel}`;
  return verdicts.base === verdicts.variant
    ? `${verdicts.base} in both${kernels}`
    : `${verdicts.base} -> ${verdicts.variant}${kernels}`;
}

/** What differences are relative to: `base`, or of several kernels `base on the same kernel`. */
export function describeReference({ case: compared }: CompareResult): string {
  const { kernels, variants } = compared;
  if (kernels === undefined) return referenceOf(compared);
  const [first] = kernels;
  return variants.length > 1
    ? `${referenceOf(compared)} on the same kernel, and the kernels with ${first}`
    : `${first}`;
}

export function describeChange({ signature, severity, attempts, of }: SignatureChange): string {
  const tries = of > 1 ? `, in ${attempts} of ${of} attempts` : '';
  return escapeForTerminal(`${signature} (${severity}${tries})`);
}

/**
 * Whether a variant fails more or less often, with the numbers; after too few runs, how many it takes.
 * Leaves out tests that never failed on either side.
 */
export function describeRates({ rates, case: compared }: CompareResult): string[] {
  return rates
    .filter(({ failures: { base, variant } }) => base.hits + variant.hits > 0)
    .map((one) => {
      const row = [`${one.fs} ${one.test}`, ...conditionsOf(one, compared)].join(' ');
      const base = baseName(one, compared);
      return escapeForTerminal(
        `${columnName(one, compared)}, ${row}: ${describeRate({ ...one, base })}`,
      );
    });
}

/** Not escaped. */
export function describeRate(one: RateComparison): string {
  const { base, failures, conclusion, difference, p, runsNeeded } = one;
  const counts = `${failures.variant.hits} of ${failures.variant.trials} attempts failed, compared with ${failures.base.hits} of ${failures.base.trials} for ${base}`;
  const [low, high] = difference.interval.map(points);
  const test = `Fisher's exact test: p = ${Number(p.toPrecision(2))}; difference ${points(difference.rate)} points, 95 % interval ${low} to ${high}`;
  const words = {
    'fails-less': `fails less often than ${base}`,
    'fails-more': `fails more often than ${base}`,
    undecided: `too few runs to say whether it fails more or less often than ${base}`,
  }[conclusion];
  const needed =
    conclusion !== 'undecided'
      ? ''
      : runsNeeded === null
        ? '; the observed rates are equal'
        : `; at these rates it takes ${runsNeeded} attempts of each`;
  return `${words}: ${counts} (${test})${needed}`;
}

/** Percentage points with a sign. */
function points(share: number): string {
  const rounded = Number((100 * share).toPrecision(2));
  return `${rounded > 0 ? '+' : ''}${rounded}`;
}

/** The directories of all runs in the matrix: see matrix.ts. */
export function directoriesOf(result: CompareResult & { directories?: string[] }): string[] {
  return result.directories ?? [result.directory];
}

/** `6.1.0-56-amd64 from debian:6.1`: each kernel once. */
export function describeKernels({ units }: CompareResult): string {
  const kernels = units.map(({ kernel }) => `${kernel.release} from ${kernel.spec}`);
  return escapeForTerminal([...new Set(kernels)].join(', '));
}

/** `tcg, pmem: memmap and nvdimm, with power cuts` */
export function describeMachines({ units, case: compared }: CompareResult): string {
  const { pmem, powerCut } = compared;
  const cuts = powerCut.length > 1 ? 'with and without power cuts' : WITH_CUTS;
  const accelerators = [...new Set(units.map(({ accel }) => accel))];
  const parts = [accelerators.join(' and '), `pmem: ${pmem.join(' and ')}`];
  return escapeForTerminal([...parts, ...(powerCut.includes(true) ? [cuts] : [])].join(', '));
}

/** How DAX was proven on each file system. */
export function describeProof(result: CompareResult): [fs: string, text: string][] {
  return result.case.fileSystems.map((fs) => {
    const units = result.units.filter((unit) => unit.fs === fs);
    const onDax = units.filter(({ control }) => !control);
    const proven = onDax.filter(({ dax }) => dax.proven);
    const controls = units.length - onDax.length;
    const parts = [
      onDax.length === 0
        ? undefined
        : `proven in ${proven.length} of ${plural(onDax.length, 'unit')}${describeMeans(proven)}`,
      controls > 0 ? `not in use, as requested, in ${plural(controls, 'unit')}` : undefined,
    ].filter((part) => part !== undefined);
    return [fs, parts.join('; ') || 'nothing ran'];
  });
}

function describeMeans(proven: readonly UnitResult[]): string {
  const [first] = proven;
  if (!first) return '';
  const shown = proven.every(({ dax }) => dax.looks.some(({ statxDax }) => statxDax))
    ? 'by mount option and statx of a fresh file'
    : 'by mount option (no statx attribute in this kernel)';
  const origins = new Set(proven.map(({ dax }) => dax.module?.origin));
  const modules = new Set(proven.map(({ dax }) => dax.module?.buildId).filter(Boolean));
  const module =
    modules.size === 0
      ? 'built in'
      : origins.has('built')
        ? plural(modules.size, 'module') +
          (origins.size > 1 ? ", the kernel's own and built from source" : ' built from source')
        : "the kernel's own module";
  return ` ${shown}; driver ${escapeForTerminal(first.dax.driver)}, ${module}; mounted ${escapeForTerminal(first.dax.mountOptions)}`;
}

/** `12 units in 40.0 s: 11 pass, 1 fail; every expectation held` */
export function describeCounts({ units, durationSeconds }: CompareResult): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: units.filter((unit) => unit.verdict === verdict).length,
  })).filter(({ count }) => count > 0);
  const list = counts.map(({ verdict, count }) => `${count} ${verdict}`).join(', ');
  return `${plural(units.length, 'unit')} in ${formatSeconds(durationSeconds)}: ${list}; ${describeHeld(units)}`;
}

function describeHeld(units: CompareResult['units']): string {
  const expected = units.filter((unit) => unit.expected);
  if (expected.length === 0) return 'no expectations given';
  const missed = expected.filter(({ held }) => !held);
  if (missed.length === 0) return 'every expectation held';
  const open = missed.filter(isUndecided).length;
  const parts = [
    missed.length > open ? `${missed.length - open} not as expected` : undefined,
    open > 0 ? `${open} without a verdict` : undefined,
  ];
  return parts.filter(Boolean).join(', ');
}

/** The dry run: a line for each cell, with its expectation. */
export function formatCells(cells: readonly Pick<Cell, 'name' | 'expected'>[]): string[] {
  const rows = cells.map(({ name, expected }) => {
    const words = expected ? `  expects ${expected.verdict} ${expected.signature ?? ''}` : '';
    return [
      name.fs,
      name.test,
      name.powerCut ? `${name.pmem}, ${WITH_CUTS}` : name.pmem,
      `${[name.kernel, name.variant].filter(Boolean).join(' ')}${words}`.trimEnd(),
    ].map(escapeForTerminal);
  });
  return alignColumns(rows);
}

/** `, patches 1 to 3` of a variant that takes only the first patches of its files. */
export function describeSteps(steps: number | undefined): string {
  if (steps === undefined) return '';
  return steps === 1 ? ', patch 1' : `, patches 1 to ${steps}`;
}
