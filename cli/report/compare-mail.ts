import { referenceOf } from '../compare/differences.js';
import { escapeForTerminal } from '../findings/escape.js';
import type { CellResult, CompareResult, Difference } from '../results/compare-result.js';
import { formatTable, UNEXPECTED } from './compare-table.js';
import {
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
  describeSteps,
  describeVerdicts,
  explanationOf,
  notableCells,
  representativeOf,
} from './compare-words.js';
import { describeExplanation } from './explanation.js';
import { describeEvidence } from './findings.js';
import { plainBody, type ReplyTo, withHeaders } from './mail-headers.js';
import { comparisonTags } from './mail-tags.js';
import { explainUnwritten } from './unwritten.js';
import { breakLine, wrapCommand, wrapField, wrapText } from './wrap.js';

/** A comparison as plain text for a mailing list, in lines of at most 72 columns. */

const WIDTH = 72;
const MOST_FINDINGS = 8;
const MOST_DETAIL = 20;

export interface MailStyle {
  /** Shows paths below this directory relative to it, since it means nothing to readers. */
  from: string;
  /** Makes the text a mail with headers. */
  reply?: ReplyTo | undefined;
}

export function formatMail(result: CompareResult, { from, reply }: MailStyle): string {
  const sections = [
    wrapText(escapeForTerminal(titleOf(result)), WIDTH),
    formatFacts(result, from),
    formatTable(result, { width: WIDTH, colour: false }),
    result.units.some(({ held }) => !held) ? [`${UNEXPECTED} not as expected`] : [],
    ...notableCells(result).map(({ cell, title }) => formatCell(cell, title, from)),
    formatDifferences(result),
    describeRates(result).flatMap((text) =>
      wrapField('', text, { indent: 0, label: 1, width: WIDTH }),
    ),
    wrapText(describeCounts(result), WIDTH),
  ];
  const body = plainBody(joined(sections));
  const text = joined([[body], comparisonTags(result)]);
  return reply ? withHeaders(text, titleOf(result), reply) : text;
}

function joined(sections: readonly (readonly string[])[]): string {
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function titleOf({ case: compared }: CompareResult): string {
  return compared.title ?? 'Comparison of DAX file systems';
}

function formatFacts(result: CompareResult, from: string): string[] {
  const [unit] = result.units;
  const fact = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 0, label: 11, width: WIDTH });
  const { e2fsprogs, xfsprogs } = result.tools;
  const versions = [
    `daxrepro ${result.tool.version}`,
    result.host.qemu.replace(/QEMU emulator version /g, 'QEMU '),
    e2fsprogs && `e2fsprogs ${e2fsprogs}`,
    xfsprogs && `xfsprogs ${xfsprogs}`,
  ].filter(Boolean);
  const suites = new Set(result.units.map(({ suite }) => `${suite.name} ${suite.version}`));
  return [
    ...(unit ? fact('Kernel:', describeKernels(result)) : []),
    ...fact('Versions:', versions.join(', ')),
    ...(unit ? fact('Machine:', describeMachines(result)) : []),
    ...fact('Tests:', [...suites].join(', ') || 'none ran'),
    ...describeProof(result).flatMap(([fs, text]) => fact(`DAX, ${fs}:`, text)),
    'Variants:',
    ...result.case.variants.flatMap(({ name, changes, steps }) => {
      const files = changes.map((file) => relativeTo(from, file)).join(', ');
      const text = files === '' ? 'the unchanged kernel' : `${files}${describeSteps(steps)}`;
      return [
        ...wrapText(escapeForTerminal(`${name}:`), WIDTH - 2).map((line) => `  ${line}`),
        ...wrapText(escapeForTerminal(text), WIDTH - 6).map((line) => `      ${line}`),
      ];
    }),
  ];
}

function formatCell(cell: CellResult, name: string, from: string): string[] {
  const unit = representativeOf(cell);
  const expectation = describeExpectation(cell);
  const title = `${name}: ${cell.verdict ?? 'did not run'}`;
  const shape = { indent: 2, label: 2, width: WIDTH };
  const findings = countFindings(cell);
  return [
    ...wrapText(`${title}${expectation && ` (${expectation})`}`, WIDTH),
    ...wrapText(escapeForTerminal(unit?.reason ?? ''), WIDTH - 2).map((line) => `  ${line}`),
    ...detailOf(unit),
    ...findings
      .slice(0, MOST_FINDINGS)
      .flatMap((counted) => [
        ...wrapField('*', describeFinding(counted), shape),
        ...wrapField('', counted.finding.signature, shape),
        ...describeEvidence(counted).flatMap((sentence) => wrapField('', sentence, shape)),
      ]),
    ...(findings.length > MOST_FINDINGS
      ? [`  * and ${findings.length - MOST_FINDINGS} more kinds of findings`]
      : []),
    ...[...explainUnwritten(unit?.unwritten), ...describeExplanation(explanationOf(cell))].flatMap(
      (sentence) => wrapField('>', sentence, shape),
    ),
    ...(unit
      ? [
          '  To run it again:',
          ...wrapCommand(escapeForTerminal(shorten(unit.replay, from)), WIDTH, 4),
        ]
      : []),
  ].filter((line) => line.trim() !== '');
}

/** The hunk that does not apply, or the compiler's messages. */
function detailOf(unit: CompareResult['units'][number] | undefined): string[] {
  const lines = unit?.failure?.detail?.trimEnd().split('\n') ?? [];
  return lines
    .slice(-MOST_DETAIL)
    .flatMap((line) => breakLine(escapeForTerminal(line), WIDTH - 4))
    .map((line) => `  | ${line}`);
}

function formatDifferences(result: CompareResult): string[] {
  if (result.differences.length === 0) return [];
  return [
    ...wrapText(`Compared with ${escapeForTerminal(referenceOf(result.case))}:`, WIDTH),
    ...result.differences.flatMap((one) => formatDifference(one, result)),
  ];
}

function formatDifference(difference: Difference, { case: compared }: CompareResult): string[] {
  const { fs, test, variant, comparable, appeared, vanished } = difference;
  const row = [`${fs} ${test}`, ...conditionsOf(difference, compared)].join(' ');
  const title = `${variant}, ${row}: ${describeVerdicts(difference)}`;
  const indented = (text: string) => wrapText(text, WIDTH - 2).map((line) => `  ${line}`);
  const field = (label: string, text: string) =>
    wrapField(label, text, { indent: 4, label: 8, width: WIDTH });
  return [
    ...indented(escapeForTerminal(title)),
    ...(comparable ? [] : ['    findings cannot be compared: one side has no verdict']),
    ...appeared.flatMap((one) => field('appeared', describeChange(one))),
    ...vanished.flatMap((one) => field('vanished', describeChange(one))),
  ];
}

function relativeTo(from: string, file: string): string {
  return file.startsWith(`${from}/`) ? file.slice(from.length + 1) : file;
}

/** The command as typed in that directory. */
function shorten(command: string, from: string): string {
  return command.replaceAll(` ${from}/`, ' ').replaceAll(` '${from}/`, " '");
}
