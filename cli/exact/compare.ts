import type { ExecutionEnd } from '../guest/recording.js';
import type { ReplayStop } from './replayer.js';

/** Compares a replay with the recorded execution. Pure. */

export interface Observed {
  end: ExecutionEnd;
  console: Buffer;
  /** One JSON text per event of the guest. */
  events: readonly string[];
}

export type Difference =
  | { what: 'instructions'; recorded: number; replayed: number }
  /** `line` counts from 1; a text is null if that side ended before. */
  | { what: 'console'; line: number; recorded: string | null; replayed: string | null }
  /** `number` counts from 1. */
  | { what: 'events'; number: number; recorded: string | null; replayed: string | null }
  /** The bytes that the guest sent differ, though the events do not: a file's content. */
  | { what: 'files'; recorded: number; replayed: number }
  /** The replay did not get to the end of the record. */
  | { what: 'end'; why: string };

/** Everything in which a replay differs; empty: it is exact. */
export function differences(
  recorded: Observed,
  replayed: Observed,
  stop: ReplayStop,
): Difference[] {
  const found: Difference[] = [];
  if (stop.kind !== 'end') found.push({ what: 'end', why: describeStop(stop, recorded.end) });
  const [before, now] = [recorded.end, replayed.end];
  if (before.instructions !== now.instructions) {
    const { instructions } = before;
    found.push({ what: 'instructions', recorded: instructions, replayed: now.instructions });
  }
  if (!recorded.console.equals(replayed.console)) {
    const [one, other] = [recorded, replayed].map(({ console }) =>
      console.toString('latin1').split('\n'),
    ) as [string[], string[]];
    const { at: index, ...texts } = firstDifference(one, other);
    found.push({ what: 'console', line: index + 1, ...texts });
  }
  if (before.channel.sha256 !== now.channel.sha256) {
    const { at: index, ...texts } = firstDifference(recorded.events, replayed.events);
    found.push(
      texts.recorded === texts.replayed
        ? { what: 'files', recorded: before.channel.bytes, replayed: now.channel.bytes }
        : { what: 'events', number: index + 1, ...texts },
    );
  }
  return found;
}

function describeStop(stop: ReplayStop, { instructions }: ExecutionEnd): string {
  switch (stop.kind) {
    case 'stalled':
      return `QEMU executed no instruction for ${stop.seconds} s, before it reached number ${instructions}`;
    case 'died':
      return `QEMU ended before the end of the record: ${stop.message}`;
    default:
      return `the replay stopped before the end of the record (${stop.kind})`;
  }
}

function firstDifference(one: readonly string[], other: readonly string[]) {
  const length = Math.max(one.length, other.length);
  let at = 0;
  while (at < length && one[at] === other[at]) at += 1;
  return { at, recorded: one[at] ?? null, replayed: other[at] ?? null };
}
