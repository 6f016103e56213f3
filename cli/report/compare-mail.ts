import { escapeForTerminal } from '../findings/escape.js';
import type { CellResult, CompareResult, Difference } from '../results/compare-result.js';
import { plural } from '../words.js';
import { formatTable, UNEXPECTED } from './compare-table.js';
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
  describeRates,
  describeReference,
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
import { toolWords } from './tool-words.js';
import { explainUnwritten } from './unwritten.js';
import { cut, wrapCommand, wrapField, wrapText } from './wrap.js';

/** A comparison as plain text for a mailing list, in lines of at most 72 columns. */

const WIDTH = 72;
/** Lines about a cell, without the command. */
const MOST_LINES = 5;
const MOST_OF_REASON = 2;
const MOST_DETAIL = 3;

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

/** What ran, in two lines where the names are not too long, and the variants. */
function formatFacts(result: CompareResult, from: string): string[] {
  const [unit] = result.units;
  const tools = toolWords(result.tools);
  const qemu = result.host.qemu.replace(/QEMU emulator version /g, 'QEMU ');
  const suites = new Set(result.units.map(({ suite }) => `${suite.name} ${suite.version}`));
  const ran = [describeMachines(result), qemu, ...suites, `daxrepro ${result.tool.version}`];
  return [
    ...(unit ? wrapped([`Kernel ${describeKernels(result)}`, ...tools].join(', ')) : []),
    ...wrapped(unit ? `On ${ran.join(', ')}` : [...tools, qemu].join(', ')),
    ...wrapped(describeDax(result)),
    ...result.case.variants
      .filter(({ changes }) => changes.length > 0)
      .flatMap(({ name, changes, steps }) => {
        const files = changes.map((file) => relativeTo(from, file)).join(', ');
        return wrapField('', escapeForTerminal(`${name}: ${files}${describeSteps(steps)}`), {
          ...{ indent: 0, label: 1, width: WIDTH },
        });
      }),
  ];
}

function wrapped(text: string): string[] {
  return wrapText(escapeForTerminal(text), WIDTH);
}

/** `DAX proven in 8 of 8 units`; the full proof is in the other formats. */
function describeDax({ units }: CompareResult): string {
  const controls = units.filter(({ control }) => control).length;
  const onDax = units.length - controls;
  const proven = units.filter(({ control, dax }) => !control && dax.proven).length;
  const parts = [
    ...(onDax > 0 ? [`DAX proven in ${proven} of ${plural(onDax, 'unit')}`] : []),
    ...(controls > 0 ? [`DAX not in use, as requested, in ${plural(controls, 'unit')}`] : []),
  ];
  return parts.join('; ') || 'Nothing ran';
}

/** Five lines at most, and the command that runs it again. */
function formatCell(cell: CellResult, name: string, from: string): string[] {
  const unit = representativeOf(cell);
  const expectation = describeExpectation(cell);
  const title = `${name}: ${cell.verdict ?? 'did not run'}${expectation && ` (${expectation})`}`;
  const detail = detailOf(unit);
  const about = [
    ...wrapText(escapeForTerminal(unit?.reason ?? ''), WIDTH - 2)
      .slice(0, detail.length > 0 ? 1 : MOST_OF_REASON)
      .map((line) => `  ${line}`),
    ...detail,
    ...findingsOf(cell),
    ...[...explainUnwritten(unit?.unwritten), ...describeExplanation(explanationOf(cell))].map(
      (sentence) => `  > ${sentence}`,
    ),
  ].filter((line) => line.trim() !== '');
  return [
    ...[title, ...about].slice(0, MOST_LINES).map((line) => cut(line, WIDTH)),
    ...(unit
      ? [
          '  To run it again:',
          ...wrapCommand(escapeForTerminal(shorten(unit.replay, from)), WIDTH, 4),
        ]
      : []),
  ];
}

/** The worst finding with its signature, and how many other kinds there are. */
function findingsOf(cell: CellResult): string[] {
  const [worst, ...others] = countFindings(cell);
  if (!worst) return [];
  const more = others.length > 0 ? `, and ${plural(others.length, 'more kind')} of findings` : '';
  const [evidence] = describeEvidence(worst);
  return [
    `  * ${describeFinding(worst)}`,
    `    ${escapeForTerminal(worst.finding.signature)}${more}`,
    ...(evidence === undefined ? [] : [`    ${evidence}`]),
  ];
}

/** The hunk that does not apply, or the compiler's messages: their end. */
function detailOf(unit: CompareResult['units'][number] | undefined): string[] {
  const lines = unit?.failure?.detail?.trimEnd().split('\n') ?? [];
  return lines.slice(-MOST_DETAIL).map((line) => `  | ${escapeForTerminal(line)}`);
}

function formatDifferences(result: CompareResult): string[] {
  if (result.differences.length === 0) return [];
  return [
    ...wrapText(`Compared with ${escapeForTerminal(describeReference(result))}:`, WIDTH),
    ...result.differences.flatMap((one) => formatDifference(one, result)),
  ];
}

function formatDifference(difference: Difference, { case: compared }: CompareResult): string[] {
  const { fs, test, comparable, appeared, vanished } = difference;
  const row = [`${fs} ${test}`, ...conditionsOf(difference, compared)].join(' ');
  const title = `${columnName(difference, compared)}, ${row}: ${describeVerdicts(difference)}`;
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
