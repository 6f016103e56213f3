import { escapeForTerminal } from '../findings/escape.js';
import type { Agreement } from '../replay/judge.js';
import type { ReplayedUnit, ReplayResult } from '../replay/result.js';
import { formatSeconds, plural } from '../words.js';
import { formatChanges } from './diff-text.js';
import { wrapField } from './wrap.js';

/** A replay as text. */

const WORDS: Record<Agreement, string> = {
  agrees: 'AGREES',
  differs: 'DIFFERS',
  'cannot-tell': 'UNKNOWN',
};

export function formatReplay(result: ReplayResult, { width }: { width: number }): string {
  const { replay, units, durationSeconds, directory } = result;
  const shape = { indent: 0, label: 8, width };
  const different = replay.context.map(({ what, before, after }) =>
    escapeForTerminal(`${what}: ${before.join(', ')} -> ${after.join(', ')}`),
  );
  const sections = [
    [
      ...wrapField('replay', escapeForTerminal(`of ${replay.of}`), shape),
      ...different.flatMap((text, index) => wrapField(index === 0 ? 'differs' : '', text, shape)),
      ...replay.notes.flatMap((note) => wrapField('note', escapeForTerminal(note), shape)),
    ],
    replay.units.flatMap((unit) => formatUnit(unit, width)),
    [
      `${describeCounts(replay.units)}; ${plural(units.length, 'unit')} in ${formatSeconds(durationSeconds)}`,
      ...hint(replay.units),
      `files    ${escapeForTerminal(directory)}`,
    ],
  ];
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function formatUnit(unit: ReplayedUnit, width: number): string[] {
  const { fs, test, pmem, variant, kernel, why, conclusion } = unit;
  const column = kernel === undefined ? variant : `${kernel} ${variant}`;
  const text = escapeForTerminal(`${fs} ${test}, ${pmem}, ${column}: ${why}`);
  return [
    ...wrapField(WORDS[conclusion], text, { indent: 0, label: 8, width }),
    ...(conclusion === 'agrees' ? [] : formatChanges(unit, width)),
  ];
}

function describeCounts(units: readonly ReplayedUnit[]): string {
  const parts = (['agrees', 'differs', 'cannot-tell'] as const).flatMap((conclusion) => {
    const count = units.filter((unit) => unit.conclusion === conclusion).length;
    if (count === 0) return [];
    if (conclusion === 'cannot-tell') return [`${count} unknown`];
    return [`${count} ${count === 1 ? conclusion : conclusion.replace(/s$/, '')}`];
  });
  return parts.join(', ') || 'Nothing ran';
}

/** A failure that did not show again may be flaky. */
function hint(units: readonly ReplayedUnit[]): string[] {
  const once = units.some(
    ({ conclusion, reasons, replayed }) =>
      conclusion === 'differs' && reasons.includes('passes-now') && replayed?.attempts === 1,
  );
  return once ? ['If the failure shows only in some runs, try --repeat 20'] : [];
}
