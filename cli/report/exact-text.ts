import type { Difference } from '../exact/compare.js';
import type { ExactResult } from '../exact/job.js';
import type { ExactReplay } from '../exact/replay.js';
import { escapeForTerminal } from '../findings/escape.js';
import { formatSeconds, plural } from '../words.js';
import { formatWhoWrote } from './who-wrote-text.js';
import { wrapField } from './wrap.js';

/** Exact replays as text. */
export function formatExact(result: ExactResult, { width }: { width: number }): string {
  const { of, unit, recorded, replays, exact } = result;
  const shape = { indent: 0, label: 8, width };
  const line = (name: string, text: string) => wrapField(name, escapeForTerminal(text), shape);
  const count = recorded.instructions.toLocaleString('en');
  const head = [
    ...line('replay', `of ${of}: ${unit.fs} ${unit.test}`),
    ...line(
      'recorded',
      `${unit.verdict}: ${unit.reason}; ${count} instructions in ${formatSeconds(recorded.seconds)}`,
    ),
  ];
  const each = replays.flatMap((one) => [
    ...line(one.exact ? 'EXACT' : 'DIFFERS', describeReplay(one)),
    ...one.differences.slice(1).flatMap((difference) => line('', describe(difference))),
    ...(one.directory === undefined ? [] : line('files', one.directory)),
  ]);
  const same = replays.filter((one) => one.exact).length;
  const end = exact
    ? `${plural(same, 'replay')}: the same instructions, console, events, findings and verdict`
    : `${same} of ${plural(replays.length, 'replay')} exact`;
  const wrote = result.whoWrote ? [formatWhoWrote(result.whoWrote, { width })] : [];
  return [head, each, wrote, [end]]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function describeReplay({ exact, instructions, seconds, differences }: ExactReplay): string {
  const took = `${instructions.toLocaleString('en')} instructions in ${formatSeconds(seconds)}`;
  const [first] = differences;
  return exact || !first ? took : `${describe(first)} (${took})`;
}

function describe(difference: Difference): string {
  const texts = (recorded: string | null, replayed: string | null) =>
    `recorded ${quote(recorded)}, replayed ${quote(replayed)}`;
  switch (difference.what) {
    case 'end':
      return difference.why;
    case 'instructions':
      return `${difference.recorded} instructions were recorded, and ${difference.replayed} replayed`;
    case 'console':
      return `line ${difference.line} of the console: ${texts(difference.recorded, difference.replayed)}`;
    case 'events':
      return `event ${difference.number} of the guest: ${texts(difference.recorded, difference.replayed)}`;
    case 'files':
      return `the files that the guest sent: recorded ${plural(difference.recorded, 'byte')}, replayed ${difference.replayed}`;
  }
}

function quote(text: string | null): string {
  return text === null ? 'its end' : JSON.stringify(text.slice(0, 200));
}
