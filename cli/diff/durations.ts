import type { Attempts } from '../compare/differences.js';
import type { UnitResult } from '../results/run-result.js';
import { holm, leastP, mannWhitney, median } from '../statistics/mann-whitney.js';

/**
 * What got slower than noise explains. Of each side the seconds of attempts are compared that passed (or
 * where none did on a side, of those that failed), without the time until the guest was ready; by Mann and
 * Whitney's test, at a level that holds for all of them together. Pure.
 */

export interface DurationChange {
  /** Of the attempts that were compared. */
  attempts: { before: number; after: number };
  /** Medians, in seconds. */
  seconds: { before: number; after: number };
  p: number;
  conclusion: 'slower' | 'faster' | 'same' | 'undecided';
  /** Where there are too few attempts to tell: so many of each could. */
  attemptsNeeded: number | null;
}

/** The probability that noise makes anything of all that is compared seem slower or faster. */
const LEVEL = 0.05;

/** A change that is smaller is nobody's concern, however sure it is: a share, and seconds. */
const LEAST_SHARE = 0.1;
const LEAST_SECONDS = 0.1;

/** @returns for each pair what can be said; undefined where a side has nothing that compares */
export function compareDurations(
  pairs: readonly { before: Attempts; after: Attempts }[],
): (DurationChange | undefined)[] {
  const measured = pairs.map(({ before, after }) => comparable(before.units, after.units));
  const tested = measured.filter((one) => one !== undefined);
  const ps = tested.map(({ before, after }) => mannWhitney(before, after));
  const significant = holm(ps, LEVEL);
  const needed = attemptsToTell(tested.length);
  const told = new Map(
    tested.map((one, index) => [
      one,
      conclude(one, ps[index] ?? 1, significant[index] ?? false, needed, tested.length),
    ]),
  );
  return measured.map((one) => one && told.get(one));
}

interface Seconds {
  before: number[];
  after: number[];
}

function conclude(
  { before, after }: Seconds,
  p: number,
  significant: boolean,
  needed: number,
  tests: number,
): DurationChange {
  const seconds = { before: median(before), after: median(after) };
  const change = seconds.after - seconds.before;
  const large =
    Math.abs(change) >= Math.max(LEAST_SECONDS, LEAST_SHARE * Math.min(...Object.values(seconds)));
  const couldTell = leastP(before.length, after.length) * tests < LEVEL;
  const sure = significant && large;
  return {
    attempts: { before: before.length, after: after.length },
    seconds: { before: round(seconds.before), after: round(seconds.after) },
    p,
    conclusion: sure ? (change > 0 ? 'slower' : 'faster') : couldTell ? 'same' : 'undecided',
    attemptsNeeded: couldTell ? null : needed,
  };
}

/** Attempts of each side of which the test can be significant among so many. */
function attemptsToTell(tests: number): number {
  let attempts = 1;
  while (leastP(attempts, attempts) * tests >= LEVEL) attempts += 1;
  return attempts;
}

/** Seconds are alike where guests come about in the same way, and nothing is collected of failures. */
function comparable(
  before: readonly UnitResult[],
  after: readonly UnitResult[],
): Seconds | undefined {
  for (const verdict of ['pass', 'fail'] as const) {
    const [one, other] = [before, after].map((units) =>
      units.filter((unit) => unit.verdict === verdict && unit.ending === 'finished'),
    ) as [UnitResult[], UnitResult[]];
    if (one.length === 0 || other.length === 0) continue;
    const kinds = new Set([...one, ...other].map(kindOf));
    if (kinds.size > 1) return undefined;
    return { before: one.map(secondsOf), after: other.map(secondsOf) };
  }
  return undefined;
}

function kindOf({ accel, together }: UnitResult): string {
  // The first of a guest has the guest's own beginning in it.
  return JSON.stringify([accel, together !== undefined && together.position > 1]);
}

function secondsOf({ durationSeconds, bootSeconds }: UnitResult): number {
  return Math.max(0, durationSeconds - (bootSeconds ?? 0));
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
