import { percent } from '../bisect/result.js';
import { escapeForTerminal } from '../findings/escape.js';
import type { BisectionResult, Culprit, PathEntry } from '../results/bisect-result.js';
import { plural } from '../words.js';
import { describeCulpritRate, describeEffort } from './bisect-words.js';
import { describeFiles } from './files.js';
import { cut, wrapField, wrapText } from './wrap.js';

/** A bisection as text: the answer, the bad change, and the tested changes. */

const MOST_DETAIL = 12;

/** Escapes text of commits and guests. @param width of a line */
export function formatBisection(result: BisectionResult, { width }: { width: number }): string {
  return [
    wrapText(escapeForTerminal(`${result.answer.summary}.`), width),
    ...result.answer.culprits.map((culprit) => formatCulprit(culprit, width)),
    formatRate(result, width),
    formatPath(result, width),
    formatEffort(result, width),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** The same, with the paths of its files. */
export function formatBisectionForTerminal(
  result: BisectionResult,
  style: { width: number },
): string {
  return [formatBisection(result, style), describeFiles(result.directory).join('\n')].join('\n\n');
}

function formatCulprit({ id, title, author, date, diffstat, findings }: Culprit, width: number) {
  const field = (label: string, text: string) =>
    wrapField(label, escapeForTerminal(text), { indent: 2, label: 8, width });
  const detail = diffstat?.split('\n') ?? [];
  return [
    ...wrapText(escapeForTerminal(`${id} ${title}`), width),
    ...(author ? field('author', `${author}${date ? `, ${date}` : ''}`) : []),
    ...findings.flatMap(({ signature, runs }) =>
      field('finding', `${signature} (in ${plural(runs, 'run')})`),
    ),
    ...detail.slice(0, MOST_DETAIL).map((line) => cut(`  ${escapeForTerminal(line)}`, width)),
    ...(detail.length > MOST_DETAIL
      ? [cut(`   ${escapeForTerminal(detail.at(-1)?.trim() ?? '')}`, width)]
      : []),
  ];
}

function formatRate(result: BisectionResult, width: number): string[] {
  const text = describeCulpritRate(result);
  return text === undefined ? [] : wrapText(text, width);
}

/** A line for each change that was tested or skipped. */
function formatPath({ path }: BisectionResult, width: number): string[] {
  if (path.length === 0) return [];
  const rows = path.map((entry) => [
    entry.change.slice(0, 12),
    entry.skipped === null ? `${entry.good}` : '-',
    entry.skipped === null ? `${entry.bad}` : '-',
    percent(entry.probability),
    entry.title,
  ]);
  const head = ['change', 'good', 'bad', 'first', ''];
  const columns = head.map((title, at) =>
    at === 4 ? 0 : Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) =>
        at === 0 || at === 4 ? cell.padEnd(columns[at] ?? 0) : cell.padStart(columns[at] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    line(head),
    ...path.flatMap((entry, at) => [
      cut(escapeForTerminal(line(rows[at] ?? [])), width),
      ...(entry.skipped === null ? [] : skipped(entry, width)),
    ]),
  ];
}

function skipped({ skipped }: PathEntry, width: number): string[] {
  return wrapField('', escapeForTerminal(`skipped: ${skipped}`), { indent: 2, label: 1, width });
}

function formatEffort(result: BisectionResult, width: number): string[] {
  const { runsNeeded } = result.answer;
  const more =
    runsNeeded === null ? [] : wrapText(`About ${runsNeeded} more runs are needed.`, width);
  return [...wrapText(describeEffort(result), width), ...more];
}
