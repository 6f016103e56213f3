import { isUndecided } from '../compare/expectations.js';
import type { Cell } from '../compare/plan.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { Row } from '../results/case.js';
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

/** What a comparison says in words, for the terminal and for mail. */

/**
 * Cells that a reader has to be told of: those that failed, that have no verdict, or are unexpected. A test
 * that applies to no variant, for one reason, is told of once.
 */
export function notableCells(result: CompareResult): { cell: CellResult; title: string }[] {
  const rows = groupBy(cellResults(result), (cell) => rowTitle(cell, result));
  return [...rows].flatMap(([title, row]) => {
    const [cell] = row;
    if (cell && appliesNowhere(row)) return [{ cell, title: `${title}, every variant` }];
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

export function cellTitle(cell: CellResult, result: CompareResult): string {
  return `${rowTitle(cell, result)}, ${escapeForTerminal(cell.variant)}`;
}

/** What the row of a cell is of: `ext2 generic/002`, `xfs power-cut/append, with power cuts`. */
export function rowTitle(row: Row, { case: compared }: Pick<CompareResult, 'case'>): string {
  const title = [`${row.fs} ${row.test}`, ...conditionsOf(row, compared)].join(', ');
  return escapeForTerminal(title);
}

/** What rows of the same test differ by: `nvdimm`, `with power cuts`. */
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

/** Completes "fail": what was expected, where anything was. */
export function describeExpectation(cell: Pick<CellResult, 'expected' | 'held'>): string {
  if (!cell.expected) return '';
  if (cell.held) return 'as expected';
  const { verdict, signature } = cell.expected;
  return `expected: ${verdict}${signature === undefined ? '' : ` with ${signature}`}`;
}

/** The attempt that stands for the cell: the first that has its verdict, unexpected ones before. */
export function representativeOf(cell: CellResult): CompareResult['units'][number] | undefined {
  const worst = cell.units.filter(({ verdict }) => verdict === cell.verdict);
  const missed = cell.units.filter(({ held }) => !held);
  return worst.find(({ held }) => !held) ?? (cell.held ? worst[0] : (missed[0] ?? worst[0]));
}

/** Of the attempts that were explained the first: others that failed alike were not. */
export function explanationOf({ units }: CellResult): UnitResult['explanation'] {
  return units.find(({ explanation }) => explanation !== undefined)?.explanation;
}

/** One finding of each signature, over all attempts, with how many there are. */
export function countFindings({ units }: CellResult): FindingGroup[] {
  return groupFindings(units.flatMap(({ findings }) => findings));
}

export function describeFinding({ finding, count }: FindingGroup): string {
  return `${count > 1 ? `${count} times, first: ` : ''}${describeFirst(finding)}`;
}

export function describeVerdicts({ verdicts }: Difference): string {
  return verdicts.base === verdicts.variant
    ? `${verdicts.base} as before`
    : `${verdicts.base} becomes ${verdicts.variant}`;
}

export function describeChange({ signature, severity, attempts, of }: SignatureChange): string {
  const tries = of > 1 ? `, in ${attempts} of ${of} attempts` : '';
  return escapeForTerminal(`${signature} (${severity}${tries})`);
}

/**
 * Whether a variant fails less often, with the numbers that say so; of few runs how many would do. What
 * never failed on either side is not told of.
 */
export function describeRates({ rates, case: compared }: CompareResult): string[] {
  return rates
    .filter(({ failures: { base, variant } }) => base.hits + variant.hits > 0)
    .map((one) => {
      const row = [`${one.fs} ${one.test}`, ...conditionsOf(one, compared)].join(' ');
      return escapeForTerminal(`${one.variant}, ${row}: ${describeRate(one)}`);
    });
}

/** Without its name, and not yet escaped. */
export function describeRate(one: RateComparison): string {
  const { base, failures, conclusion, difference, p, runsNeeded } = one;
  const counts = `${failures.variant.hits} of ${failures.variant.trials} attempts failed, of ${base} ${failures.base.hits} of ${failures.base.trials}`;
  const [low, high] = difference.interval.map(points);
  const test = `Fisher's exact test: p = ${Number(p.toPrecision(2))}; ${points(difference.rate)} points, 95 % interval ${low} to ${high}`;
  const words = {
    'fails-less': `fails less often than ${base}`,
    'fails-more': `fails more often than ${base}`,
    undecided: 'too few runs to tell whether it fails more or less often',
  }[conclusion];
  const needed =
    conclusion !== 'undecided'
      ? ''
      : runsNeeded === null
        ? '; the rates seem the same'
        : `; at these rates ${runsNeeded} of each would do`;
  return `${words}: ${counts} (${test})${needed}`;
}

/** Of a hundred, with a sign. */
function points(share: number): string {
  const rounded = Number((100 * share).toPrecision(2));
  return `${rounded > 0 ? '+' : ''}${rounded}`;
}

/** Those of all runs that were put together: see matrix.ts. */
export function directoriesOf(result: CompareResult & { directories?: string[] }): string[] {
  return result.directories ?? [result.directory];
}

/** `6.1.0-56-amd64 from debian:6.1`: each kernel once. */
export function describeKernels({ units }: CompareResult): string {
  const kernels = units.map(({ kernel }) => `${kernel.release} from ${kernel.spec}`);
  return escapeForTerminal([...new Set(kernels)].join(', '));
}

/** `tcg, pmem by memmap and nvdimm, with power cuts` */
export function describeMachines({ units, case: compared }: CompareResult): string {
  const { pmem, powerCut } = compared;
  const cuts = powerCut.length > 1 ? 'with and without power cuts' : WITH_CUTS;
  const accelerators = [...new Set(units.map(({ accel }) => accel))];
  const parts = [accelerators.join(' and '), `pmem by ${pmem.join(' and ')}`];
  return escapeForTerminal([...parts, ...(powerCut.includes(true) ? [cuts] : [])].join(', '));
}

/** How DAX was proven, one sentence for each file system. */
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
      controls > 0 ? `not in use, as was asked for, in ${plural(controls, 'unit')}` : undefined,
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
          (origins.size > 1 ? ", the kernel's own and built" : ' built for it')
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
  if (expected.length === 0) return 'no expectation was given';
  const missed = expected.filter(({ held }) => !held);
  if (missed.length === 0) return 'every expectation held';
  const open = missed.filter(isUndecided).length;
  const parts = [
    missed.length > open ? `${missed.length - open} not as expected` : undefined,
    open > 0 ? `${open} without a verdict` : undefined,
  ];
  return parts.filter(Boolean).join(', ');
}

/** The dry run: a line for each cell, and what is expected of it. */
export function formatCells(cells: readonly Pick<Cell, 'name' | 'expected'>[]): string[] {
  const columns = cells.map(({ name }) => [
    name.fs,
    name.test,
    name.powerCut ? `${name.pmem}, ${WITH_CUTS}` : name.pmem,
    name.variant,
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...columns.map((row) => row[column]?.length ?? 0)),
  );
  return cells.map(({ expected }, index) => {
    const row = columns[index] ?? [];
    const padded = row.map((text, column) => text.padEnd(widths[column] ?? 0));
    const words = expected ? `  expects ${expected.verdict} ${expected.signature ?? ''}` : '';
    return escapeForTerminal(`${padded.join('  ')}${words}`.trimEnd());
  });
}
