import { referenceOf } from '../compare/differences.js';
import { escapeForTerminal } from '../findings/escape.js';
import { type Column, columnsOf } from '../results/case.js';
import type { CellResult, CompareResult, Difference } from '../results/compare-result.js';
import { formatTable, UNEXPECTED, VERDICT_COLOURS } from './compare-table.js';
import {
  columnName,
  conditionsOf,
  countFindings,
  describeChange,
  describeCounts,
  describeExpectation,
  describeFinding,
  describeKernels,
  describeMachines,
  describeProof,
  describeRates,
  describeReference,
  describeVerdicts,
  directoriesOf,
  explanationOf,
  notableCells,
  representativeOf,
} from './compare-words.js';
import { describeExplanation } from './explanation.js';
import { describeFiles } from './files.js';
import { describeEvidence } from './findings.js';
import { describeImages } from './images.js';
import { explainUnwritten } from './unwritten.js';
import { wrapField } from './wrap.js';

/** A comparison for a terminal: the table, why cells failed, and the differences. */

/** Findings shown per cell; the rest are in its files. */
const MOST_FINDINGS = 5;
/** Lines shown of a compiler's or patch's output. */
const MOST_DETAIL = 40;

export interface TextStyle {
  width: number;
  colour: boolean;
}

export function formatComparison(result: CompareResult, style: TextStyle): string {
  const sections = [
    formatHead(result, style),
    formatTable(result, style),
    result.units.some(({ held }) => !held) ? [`${UNEXPECTED} not as expected`] : [],
    ...notableCells(result).map(({ cell, title }) => formatCell(cell, title, style)),
    formatDifferences(result, style),
    describeRates(result).flatMap((text) =>
      wrapField('', text, { indent: 0, label: 1, width: style.width }),
    ),
    [describeCounts(result), ...describeFiles(...directoriesOf(result))],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

export function formatHead(result: CompareResult, { width }: TextStyle): string[] {
  const shape = { indent: 0, label: 8, width };
  const [unit] = result.units;
  return [
    ...(result.case.title === null ? [] : [escapeForTerminal(result.case.title)]),
    ...(unit
      ? wrapField('kernel', `${describeKernels(result)}, ${describeMachines(result)}`, shape)
      : ['Nothing ran.']),
    ...describeProof(result).flatMap(([fs, text]) => wrapField(`DAX ${fs}`, text, shape)),
  ];
}

export function formatCell(cell: CellResult, name: string, style: TextStyle): string[] {
  const unit = representativeOf(cell);
  const verdict = cell.verdict ?? 'error';
  const word = verdict.toUpperCase().padEnd(8);
  const mark = style.colour ? `\x1b[1;${VERDICT_COLOURS[verdict]}m${word}\x1b[0m` : word;
  const expectation = describeExpectation(cell);
  const shape = { indent: 9, label: 8, width: style.width };
  const findings = countFindings(cell);
  const title = wrapField('', `${name}${expectation && ` (${expectation})`}`, {
    indent: 0,
    label: 8,
    width: style.width,
  });
  return [
    `${mark} ${title[0]?.trimStart() ?? ''}`,
    ...title.slice(1),
    ...wrapField('reason', escapeForTerminal(unit?.reason ?? 'did not run'), shape),
    ...formatDetail(unit),
    ...findings
      .slice(0, MOST_FINDINGS)
      .flatMap((counted) => [
        ...wrapField('finding', describeFinding(counted), shape),
        ...wrapField('', counted.finding.signature, shape),
        ...describeEvidence(counted).flatMap((sentence) => wrapField('', sentence, shape)),
      ]),
    ...(findings.length > MOST_FINDINGS
      ? wrapField('', `and ${findings.length - MOST_FINDINGS} more kinds of findings`, shape)
      : []),
    ...explainUnwritten(unit?.unwritten).flatMap((why) => wrapField('why', why, shape)),
    ...describeExplanation(explanationOf(cell)).flatMap((text, index) =>
      wrapField(index === 0 ? 'explain' : '', text, shape),
    ),
    ...describeImages(unit?.images).flatMap((image) => wrapField('image', image, shape)),
    // Not wrapped, so that it can be copied from a terminal as one command.
    ...(unit ? [`         replay   ${escapeForTerminal(unit.replay)}`] : []),
  ];
}

function formatDetail(unit: CompareResult['units'][number] | undefined): string[] {
  const lines = unit?.failure?.detail?.trimEnd().split('\n') ?? [];
  // The error is at the end.
  const shown = lines.slice(-MOST_DETAIL).map((line) => `         | ${escapeForTerminal(line)}`);
  const next = unit?.failure ? [`         next     ${escapeForTerminal(unit.failure.remedy)}`] : [];
  return [...shown, ...next];
}

export function formatDifferences(result: CompareResult, style: TextStyle): string[] {
  const { differences } = result;
  const own = (one: Column) => columnName(one, result.case);
  const [kernel] = result.case.kernels ?? [];
  const reference = own({ variant: referenceOf(result.case), kernel });
  const others = columnsOf(result.case)
    .map(own)
    .filter((name) => name !== reference);
  if (others.length === 0 || result.units.length === 0) return [];
  const same = others.filter((name) => !differences.some((one) => own(one) === name));
  const lines = differences.flatMap((one) => formatDifference(one, result, style));
  const none =
    same.length > 0 ? [`  no difference: ${same.map(escapeForTerminal).join(', ')}`] : [];
  return [`Compared with ${escapeForTerminal(describeReference(result))}`, ...lines, ...none];
}

function formatDifference(
  difference: Difference,
  { case: compared }: CompareResult,
  { width }: TextStyle,
): string[] {
  const { fs, test, comparable, appeared, vanished } = difference;
  const column = columnName(difference, compared);
  const where = [`${fs} ${test}`, ...conditionsOf(difference, compared)].join(' ');
  const shape = { indent: 4, label: 8, width };
  return [
    `  ${escapeForTerminal(`${column}, ${where}: ${describeVerdicts(difference)}`)}`,
    ...(comparable ? [] : ['    findings cannot be compared: one side has no verdict']),
    ...appeared.flatMap((one) => wrapField('appeared', describeChange(one), shape)),
    ...vanished.flatMap((one) => wrapField('vanished', describeChange(one), shape)),
  ];
}
