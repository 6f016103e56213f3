import { groupBy } from '../group-by.js';
import type { BisectionResult } from '../results/bisect-result.js';
import { columnsOf } from '../results/case.js';
import { type CellResult, cellResults } from '../results/compare-result.js';
import type { Verdict } from '../verdict/judge.js';
import { plural } from '../words.js';
import { formatBisection } from './bisect-text.js';
import { cellText, UNEXPECTED } from './compare-table.js';
import { formatCell, formatDifferences, formatHead } from './compare-text.js';
import {
  cellTitle,
  columnName,
  describeCounts,
  describeExpectation,
  describeRates,
  notableCells,
  rowTitle,
} from './compare-words.js';
import { code, codeBlock, codeInHtml, codeInTable } from './markdown-escape.js';
import type { Matrix } from './matrix.js';
import { describeRepeats } from './repeats.js';
import { findingsBySignature } from './signatures.js';
import { wrapText } from './wrap.js';

/**
 * Markdown for pull requests and CI job pages. A GitHub comment has at most 65,536 characters, so details
 * of cells that do not fit are left out, with a note.
 */

const MOST_CHARACTERS = 60_000;
/** Code blocks do not wrap. */
const WIDTH = 96;
/** Cells named in the row of a finding. */
const MOST_CELLS = 6;

export function formatMatrixMarkdown(matrix: Matrix): string {
  const style = { width: WIDTH, colour: false };
  const rates = [
    ...matrix.repeats.map((one) => describeRepeats(one, matrix.repeats)),
    ...describeRates(matrix),
  ];
  const before = [
    `## ${matrix.case.title === null ? 'File systems on DAX' : code(matrix.case.title)}`,
    `**${matrix.verdict}**: ${describeCounts(matrix)}`,
    formatTable(matrix),
    ...(matrix.units.some(({ held }) => !held) ? [`\`${UNEXPECTED}\` not as expected`] : []),
    ...findingsTable(matrix),
  ];
  const after = [
    ...block('### Differences', formatDifferences(matrix, style)),
    ...block(
      '### Failure rates',
      rates.flatMap((text) => wrapText(text, WIDTH)),
    ),
    details(
      'Proof of DAX, kernel and machine',
      formatHead({ ...matrix, case: { ...matrix.case, title: null } }, style),
    ),
  ];
  const cells = notableCells(matrix).map(({ cell, title }) =>
    details(
      `${codeInHtml(title)}: ${strong(cell.verdict)}${expectation(cell)}`,
      formatCell(cell, title, style),
    ),
  );
  const room = MOST_CHARACTERS - [...before, ...after].join('\n\n').length;
  return [...before, ...asManyAsFit(cells, room), ...after].join('\n\n');
}

export function formatBisectionMarkdown(result: BisectionResult): string {
  const { fs, tests } = result.question;
  return [
    `## Bisection of ${code(`${fs} ${tests.join(' ')}`)}`,
    codeBlock(formatBisection(result, { width: WIDTH }).split('\n')),
  ].join('\n\n');
}

function formatTable(matrix: Matrix): string {
  const names = columnsOf(matrix.case).map((one) => codeInTable(columnName(one, matrix.case)));
  const rows = groupBy(cellResults(matrix), (cell) => rowTitle(cell, matrix));
  return [
    row(['', ...names]),
    row(['---', ...names.map(() => '---')]),
    ...[...rows].map(([title, cells]) => row([codeInTable(title), ...cells.map(tableCell)])),
  ].join('\n');
}

function tableCell(cell: CellResult): string {
  const text = cellText(cell);
  const quiet = cell.held && (cell.verdict === undefined || cell.verdict === 'pass');
  return quiet ? text : `**${text}**`;
}

function findingsTable(matrix: Matrix): string[] {
  const findings = findingsBySignature(cellResults(matrix));
  if (findings.length === 0) return [];
  return [
    '### Findings',
    [
      row(['finding', 'severity', 'in']),
      row(['---', '---', '---']),
      ...findings.map(({ signature, finding, cells }) => {
        const places = cells
          .slice(0, MOST_CELLS)
          .map(({ cell }) => codeInTable(cellTitle(cell, matrix)));
        const more = cells.length - places.length;
        const list = [...places, ...(more > 0 ? [`${more} more`] : [])].join(', ');
        return row([codeInTable(signature), finding.severity, list]);
      }),
    ].join('\n'),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** HTML; after an empty line its content is Markdown again. @param summary is HTML */
function details(summary: string, lines: readonly string[]): string {
  return `<details><summary>${summary}</summary>\n\n${codeBlock(lines)}\n\n</details>`;
}

function block(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, codeBlock(lines)];
}

function strong(verdict: Verdict | undefined): string {
  return `<b>${verdict ?? 'did not run'}</b>`;
}

function expectation(cell: CellResult): string {
  const words = describeExpectation(cell);
  return words === '' ? '' : ` (${cell.held ? words : codeInHtml(words)})`;
}

function asManyAsFit(parts: readonly string[], room: number): string[] {
  let left = room;
  const count = parts.findIndex((part) => {
    left -= part.length + 2;
    return left < 0;
  });
  if (count < 0) return [...parts];
  return [
    ...parts.slice(0, count),
    `${plural(parts.length - count, 'more cell')} did not fit here.`,
  ];
}
