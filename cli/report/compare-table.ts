import { padText, textWidth } from '../columns.js';
import { escapeForTerminal } from '../findings/escape.js';
import { columnsOf, columnTitle, rowKey } from '../results/case.js';
import type { CellResult, CompareResult } from '../results/compare-result.js';
import { cellResults } from '../results/compare-result.js';
import type { Verdict } from '../verdict/judge.js';
import { conditionsOf, WITH_CUTS } from './compare-words.js';
import { breakLine, cut } from './wrap.js';

/**
 * The matrix: kernels and variants across, file systems and tests down. If it is too wide, the names of variants are
 * broken into several lines; if that is not enough, the remaining columns follow below.
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

/** Marks an unexpected verdict. */
export const UNEXPECTED = '!';

const GAP = '  ';
/** Lines of names never get narrower than this. */
const NARROWEST = 8;
/** Names are broken at this width even if there is room: a mail's subject can be long. */
const WIDEST = 24;

export function formatTable(
  result: Pick<CompareResult, 'case' | 'units'>,
  style: TableStyle,
): string[] {
  // A long test name must leave room for the verdicts.
  const longest = Math.max(20, Math.floor(style.width / 2));
  const rows = rowsOf(cellResults(result), result.case).map((row) => ({
    ...row,
    label: cut(row.label, longest),
  }));
  const label = Math.max(...rows.map((row) => textWidth(row.label)));
  const { variants } = result.case;
  const names = columnsOf(result.case).map((column) =>
    escapeForTerminal(columnTitle(column, variants.length)),
  );
  const cells = names.map((_, column) =>
    Math.max(...rows.map(({ cells: [...all] }) => textWidth(cellText(all[column])))),
  );
  const room = style.width - label;
  for (const limit of limits(names)) {
    const columns = names.map((name, index) => makeColumn(name, limit, index, cells[index] ?? 0));
    if (widthOf(columns) <= room) return formatBlock(rows, label, columns, style);
  }
  // As many columns as fit, at least one; the rest goes below.
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
  /** A row with only a label: the file system. */
  heading: boolean;
  cells: CellResult[];
}

interface Column {
  /** The variant's index. */
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
    const row = before && rowKey(before) === rowKey(cell);
    if (row) rows.at(-1)?.cells.push(cell);
    else rows.push({ label: rowLabel(cell, before, compared), heading: false, cells: [cell] });
    before = cell;
  }
  return rows;
}

/** The row with power cuts follows the same test without, so its label says only that. */
function rowLabel(
  cell: CellResult,
  before: CellResult | undefined,
  compared: CompareResult['case'],
): string {
  if (before && rowKey({ ...before, powerCut: true }) === rowKey(cell)) {
    return `    ${WITH_CUTS}`;
  }
  return escapeForTerminal(`  ${[cell.test, ...conditionsOf(cell, compared)].join(' ')}`);
}

function limits(names: readonly string[]): number[] {
  const longest = Math.min(WIDEST, Math.max(...names.map(textWidth)));
  return Array.from(
    { length: Math.max(longest - NARROWEST, 0) + 1 },
    (_, index) => Math.max(longest, NARROWEST) - index,
  );
}

function makeColumn(name: string, limit: number, index: number, cell: number): Column {
  const lines = breakName(name, limit);
  return { index, lines, width: Math.max(cell, ...lines.map(textWidth)) };
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + GAP.length + width, 0);
}

/** Breaks a name at blanks and after - _ . /, and within a word only if it must. */
function breakName(name: string, limit: number): string[] {
  const parts = name.match(/[^\s\-_./]*[-_./]+|[^\s\-_./]+|\s+/g) ?? [name];
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (textWidth(line + part.trimEnd()) <= limit) {
      line += part;
      continue;
    }
    if (line.trim() !== '') lines.push(line.trim());
    const pieces = breakLine(part.trim(), limit);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
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
      // Aligned at the bottom, right above the verdicts.
      padText(lines[line - (height - lines.length)] ?? '', width),
    );
    return [' '.repeat(label), ...names].join(GAP).trimEnd();
  });
  const body = rows.map((row) => {
    if (row.heading) return row.label;
    const cells = columns.map(({ index, width }) => {
      const cell = row.cells[index];
      const text = cellText(cell);
      return paint(text, cell, style) + ' '.repeat(Math.max(width - textWidth(text), 0));
    });
    return [padText(row.label, label), ...cells].join(GAP).trimEnd();
  });
  return [...header, ...body];
}

/** `pass`; `fail 2/5` for several attempts; `fail !` if unexpected. */
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
