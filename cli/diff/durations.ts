import type { Attempts } from '../compare/differences.js';
import type { UnitResult } from '../results/run-result.js';
import { holm, leastP, mannWhitney, median } from '../statistics/mann-whitney.js';

/**
 * Finds tests that got significantly slower or faster. Compares the durations of passed attempts (or of
 * failed ones, if a side has no passed ones) without the boot, by the Mann-Whitney test at a level that
 * holds for all tests together. Pure.
 */

export interface DurationChange {
  /** How many attempts were compared. */
  attempts: { before: number; after: number };
  /** Medians, in seconds. */
  seconds: { before: number; after: number };
  p: number;
  conclusion: 'slower' | 'faster' | 'same' | 'undecided';
  /** With too few attempts to decide: how many it takes on each side. */
  attemptsNeeded: number | null;
}

/** The probability that noise makes any of the compared tests seem slower or faster. */
const LEVEL = 0.05;

/** Smaller changes do not matter, however significant: a share, and seconds. */
const LEAST_SHARE = 0.1;
const LEAST_SECONDS = 0.1;

/** @returns the result for each pair; undefined if a side has no comparable attempt */
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

/** The attempts per side that it takes for one of this many tests to be significant. */
function attemptsToTell(tests: number): number {
  let attempts = 1;
  while (leastP(attempts, attempts) * tests >= LEVEL) attempts += 1;
  return attempts;
}

/** Durations are comparable if the guests started the same way; failures also collect evidence. */
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
  // The first test in a shared guest also waits for the guest to start.
  return JSON.stringify([accel, together !== undefined && together.position > 1]);
}

function secondsOf({ durationSeconds, bootSeconds }: UnitResult): number {
  return Math.max(0, durationSeconds - (bootSeconds ?? 0));
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
