import { escapeForTerminal } from '../findings/escape.js';
import { cellKey } from '../results/case.js';
import type { CellResult, CompareResult } from '../results/compare-result.js';
import { cellResults } from '../results/compare-result.js';
import type { Verdict } from '../verdict/judge.js';
import { conditionsOf, WITH_CUTS } from './compare-words.js';
import { characters, cut } from './wrap.js';

/**
 * The matrix: variants across, file systems and tests down. Where it is too wide, the variants'
 * names are broken into several lines; where that is not enough, columns go below each other.
 */

export interface TableStyle {
  width: number;
  colour: boolean;
}

export const VERDICT_COLOURS: Record<Verdict, number> = {
  pass: 32,
  fail: 31,
  invalid: 33,
  error: 33,
  notrun: 36,
};

/** Stands behind a verdict that is not the expected one. */
export const UNEXPECTED = '!';

const GAP = '  ';
/** Names are not broken into shorter lines than this. */
const NARROWEST = 8;
/** Names that nothing obliges us to break are broken here: a mail's subject is one. */
const WIDEST = 24;

export function formatTable(
  result: Pick<CompareResult, 'case' | 'units'>,
  style: TableStyle,
): string[] {
  // A test's name may be as long as it likes: the verdicts have to have room.
  const longest = Math.max(20, Math.floor(style.width / 2));
  const rows = rowsOf(cellResults(result), result.case).map((row) => ({
    ...row,
    label: cut(row.label, longest),
  }));
  const label = Math.max(...rows.map((row) => characters(row.label)));
  const names = result.case.variants.map(({ name }) => escapeForTerminal(name));
  const cells = names.map((_, column) =>
    Math.max(...rows.map(({ cells: [...all] }) => characters(cellText(all[column])))),
  );
  const room = style.width - label;
  for (const limit of limits(names)) {
    const columns = names.map((name, index) => makeColumn(name, limit, index, cells[index] ?? 0));
    if (widthOf(columns) <= room) return formatBlock(rows, label, columns, style);
  }
  // As many columns as fit, at least one, and the rest below.
  const blocks: Column[][] = [];
  for (const [index, name] of names.entries()) {
    const column = makeColumn(name, NARROWEST, index, cells[index] ?? 0);
    const last = blocks.at(-1);
    if (last && widthOf([...last, column]) <= room) last.push(column);
    else blocks.push([column]);
  }
  return blocks.flatMap((columns, index) => [
    ...(index > 0 ? [''] : []),
    ...formatBlock(rows, label, columns, style),
  ]);
}

interface Row {
  label: string;
  /** Nothing but the label: the file system. */
  heading: boolean;
  cells: CellResult[];
}

interface Column {
  /** Of the variant. */
  index: number;
  lines: string[];
  width: number;
}

function rowsOf(cells: readonly CellResult[], compared: CompareResult['case']): Row[] {
  const rows: Row[] = [];
  let fs: string | undefined;
  let before: CellResult | undefined;
  for (const cell of cells) {
    if (cell.fs !== fs) {
      fs = cell.fs;
      rows.push({ label: escapeForTerminal(fs), heading: true, cells: [] });
    }
    const row = before && cellKey({ ...before, variant: cell.variant }) === cellKey(cell);
    if (row) rows.at(-1)?.cells.push(cell);
    else rows.push({ label: rowLabel(cell, before, compared), heading: false, cells: [cell] });
    before = cell;
  }
  return rows;
}

/** A test's row with power cuts stands below the one without, and says only that. */
function rowLabel(
  cell: CellResult,
  before: CellResult | undefined,
  compared: CompareResult['case'],
): string {
  const { variant } = cell;
  if (before && cellKey({ ...before, variant, powerCut: true }) === cellKey(cell)) {
    return `    ${WITH_CUTS}`;
  }
  return escapeForTerminal(`  ${[cell.test, ...conditionsOf(cell, compared)].join(' ')}`);
}

function limits(names: readonly string[]): number[] {
  const longest = Math.min(WIDEST, Math.max(...names.map(characters)));
  return Array.from(
    { length: Math.max(longest - NARROWEST, 0) + 1 },
    (_, index) => Math.max(longest, NARROWEST) - index,
  );
}

function makeColumn(name: string, limit: number, index: number, cell: number): Column {
  const lines = breakName(name, limit);
  return { index, lines, width: Math.max(cell, ...lines.map(characters)) };
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + GAP.length + width, 0);
}

/** Broken after hyphens and the like, and at blanks; within a word where there is no such place. */
function breakName(name: string, limit: number): string[] {
  const parts = name.match(/[^\s\-_./]*[-_./]+|[^\s\-_./]+|\s+/g) ?? [name];
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (characters(line + part.trimEnd()) <= limit) {
      line += part;
      continue;
    }
    if (line.trim() !== '') lines.push(line.trim());
    const letters = [...part.trim()];
    while (letters.length > limit) lines.push(letters.splice(0, limit).join(''));
    line = letters.join('');
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line.trim());
  return lines;
}

function formatBlock(
  rows: readonly Row[],
  label: number,
  columns: readonly Column[],
  style: TableStyle,
): string[] {
  const height = Math.max(...columns.map(({ lines }) => lines.length));
  const header = Array.from({ length: height }, (_, line) => {
    const names = columns.map(({ lines, width }) =>
      // The last lines stand beside each other, right above the verdicts.
      pad(lines[line - (height - lines.length)] ?? '', width),
    );
    return [' '.repeat(label), ...names].join(GAP).trimEnd();
  });
  const body = rows.map((row) => {
    if (row.heading) return row.label;
    const cells = columns.map(({ index, width }) => {
      const cell = row.cells[index];
      const text = cellText(cell);
      return paint(text, cell, style) + ' '.repeat(Math.max(width - characters(text), 0));
    });
    return [pad(row.label, label), ...cells].join(GAP).trimEnd();
  });
  return [...header, ...body];
}

/** `pass`, `fail 2/5` where it was tried several times, `fail !` where it was to be otherwise. */
export function cellText(cell: CellResult | undefined): string {
  if (!cell?.verdict) return '-';
  const same = cell.units.filter(({ verdict }) => verdict === cell.verdict).length;
  const tries = cell.units.length > 1 ? ` ${same}/${cell.units.length}` : '';
  return `${cell.verdict}${tries}${cell.held ? '' : ` ${UNEXPECTED}`}`;
}

function paint(text: string, cell: CellResult | undefined, { colour }: TableStyle): string {
  if (!colour || !cell?.verdict) return text;
  const weight = cell.held ? '' : '1;';
  return `\x1b[${weight}${VERDICT_COLOURS[cell.verdict]}m${text}\x1b[0m`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - characters(text), 0));
}
