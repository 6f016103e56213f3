import type { AttemptsDiff, CellDiff, DiffResult, SideOfCell } from '../diff/diff.js';
import type { DurationChange } from '../diff/durations.js';
import { escapeForTerminal } from '../findings/escape.js';
import { VERDICTS } from '../verdict/judge.js';
import { formatSeconds, plural } from '../words.js';
import { describeChange, describeRate, WITH_CUTS } from './compare-words.js';
import { wrapField } from './wrap.js';

/** A diff as text, for a terminal or mail. */

/** Listed cells that are on one side only. */
const MOST_ONLY = 20;

export function formatDiff(result: DiffResult, { width }: { width: number }): string {
  const order: CellDiff['kind'][] = ['worse', 'no-verdict-now', 'better', 'changed'];
  const sections = [
    formatHead(result, width),
    ...order.flatMap((kind) =>
      result.cells
        .filter((cell) => cell.kind === kind)
        .map((cell) => formatCell(cell, result, width)),
    ),
    formatOnly(result, 'only-before', width),
    formatOnly(result, 'only-after', width),
    [...wrapField('', describeDurations(result), { indent: 0, label: 0, width })].map(trimStart),
    wrapField('', describeEnd(result), { indent: 0, label: 0, width }).map(trimStart),
  ];
  return sections
    .filter((lines) => lines.some((line) => line !== ''))
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function trimStart(line: string): string {
  return line.trimStart();
}

function formatHead(result: DiffResult, width: number): string[] {
  const shape = { indent: 0, label: 8, width };
  const side = ({ runs, units }: DiffResult['before']) =>
    escapeForTerminal(`${runs.join(' and ')} (${plural(units, 'unit')})`);
  const different = result.context.map(({ what, before, after }) =>
    escapeForTerminal(`${what}: ${before.join(', ')} -> ${after.join(', ')}`),
  );
  return [
    ...wrapField('before', side(result.before), shape),
    ...wrapField('after', side(result.after), shape),
    ...different.flatMap((text, index) => wrapField(index === 0 ? 'differs' : '', text, shape)),
  ];
}

const WORDS: Record<CellDiff['kind'], string> = {
  worse: 'WORSE',
  better: 'BETTER',
  changed: 'CHANGED',
  'no-verdict-now': 'UNKNOWN',
  'only-before': 'GONE',
  'only-after': 'NEW',
};

function formatCell(cell: CellDiff, result: DiffResult, width: number): string[] {
  const title = escapeForTerminal(`${nameOf(cell, result)}: ${describeVerdicts(cell)}`);
  return [
    ...wrapField(WORDS[cell.kind], title, { indent: 0, label: 8, width }),
    ...formatChanges(cell, width),
  ];
}

/** Findings that appeared or vanished, and how certain that is. */
export function formatChanges(
  cell: AttemptsDiff & { duration?: DurationChange | null },
  width: number,
): string[] {
  const shape = { indent: 9, label: 8, width };
  const chance = ({ maybeChance, p }: CellDiff['vanished'][number]) =>
    maybeChance
      ? `; it showed in only some attempts, so this may be chance (p = ${format(p ?? 1)})`
      : '';
  return [
    ...cell.appeared.flatMap((one) => wrapField('appeared', describeChange(one), shape)),
    ...cell.vanished.flatMap((one) =>
      wrapField('vanished', `${describeChange(one)}${chance(one)}`, shape),
    ),
    ...formatRate(cell, shape),
    ...(cell.duration ? formatDuration(cell.duration, shape) : []),
  ];
}

type Shape = Parameters<typeof wrapField>[2];

function formatRate({ failures }: AttemptsDiff, shape: Shape): string[] {
  if (!failures) return [];
  const { base, variant } = failures.failures;
  if (base.hits + variant.hits === 0) return [];
  return wrapField('rate', escapeForTerminal(describeRate(failures)), shape);
}

function formatDuration({ conclusion, seconds, attempts, p }: DurationChange, shape: Shape) {
  if (conclusion !== 'slower' && conclusion !== 'faster') return [];
  const text = `${conclusion}: ${formatSeconds(seconds.before)} -> ${formatSeconds(seconds.after)} (medians of ${attempts.before} and ${attempts.after}; Mann-Whitney: p = ${format(p)})`;
  return wrapField('time', text, shape);
}

function format(p: number): string {
  return String(Number(p.toPrecision(2)));
}

function nameOf(
  { fs, test, pmem, powerCut, before, after }: CellDiff,
  { matchedBy }: DiffResult,
): string {
  const [old, young] = [before?.variant, after?.variant];
  const one = young ?? old ?? '';
  const variant =
    old === undefined || young === undefined || old === young ? one : `${old} -> ${young}`;
  const kernel = matchedBy.includes('kernel') ? `, ${after?.kernel ?? before?.kernel ?? ''}` : '';
  const cuts = powerCut ? `, ${WITH_CUTS}` : '';
  return `${fs} ${test}, ${pmem}${cuts}, ${variant}${kernel}`;
}

function describeVerdicts({ before, after }: CellDiff): string {
  if (!before || !after) return describeSide(after ?? before);
  const [old, young] = [describeSide(before), describeSide(after)];
  return old === young ? `still ${old}` : `${old} -> ${young}`;
}

/** `pass`, or `2 pass, 18 fail` for several attempts. */
function describeSide(side: SideOfCell | null): string {
  const counts = Object.entries(side?.attempts ?? {});
  if (counts.length === 1 && counts[0]?.[1] === 1) return counts[0][0];
  return VERDICTS.flatMap((verdict) => {
    const count = side?.attempts[verdict];
    return count ? [`${count} ${verdict}`] : [];
  }).join(', ');
}

function formatOnly(
  result: DiffResult,
  kind: 'only-before' | 'only-after',
  width: number,
): string[] {
  const cells = result.cells.filter((cell) => cell.kind === kind);
  if (cells.length === 0) return [];
  const shape = { indent: 0, label: 8, width };
  const more = cells.length - MOST_ONLY;
  const names = cells
    .slice(0, MOST_ONLY)
    .map((cell) => `${nameOf(cell, result)} (${describeSide(cell.after ?? cell.before)})`);
  return [
    `only ${kind === 'only-before' ? 'before' : 'after'}`,
    ...names.flatMap((name) => wrapField('', escapeForTerminal(name), shape)),
    ...(more > 0 ? [`         and ${more} more`] : []),
  ];
}

function describeDurations({ durations }: DiffResult): string {
  const { compared, undecided, attemptsNeeded } = durations;
  if (compared === 0)
    return 'Durations cannot be compared: no test has the same verdict on both sides in the same kind of guest.';
  if (undecided === 0) return '';
  return `Too few attempts to compare the durations of ${undecided} of ${plural(compared, 'test')}: it takes ${attemptsNeeded} on each side (--repeat ${attemptsNeeded}).`;
}

function describeEnd({ counts, conclusion }: DiffResult): string {
  const parts = [
    [counts.worse, 'worse'],
    [counts['no-verdict-now'], 'without a verdict now'],
    [counts.better, 'better'],
    [counts.changed, 'otherwise changed'],
    [counts.same, 'unchanged'],
    [counts['only-before'], 'only before'],
    [counts['only-after'], 'only after'],
  ] as const;
  const list = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${CONCLUSIONS[conclusion]}: ${list.join(', ') || 'no tests on either side'}`;
}

const CONCLUSIONS: Record<DiffResult['conclusion'], string> = {
  same: 'No difference',
  better: 'Better',
  worse: 'Worse',
  changed: 'Different, but not worse',
  'cannot-tell': 'No answer whether anything got worse',
};
