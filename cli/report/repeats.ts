import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { Repeats, UnitResult } from '../results/run-result.js';
import { VERDICTS } from '../verdict/judge.js';

/** What many attempts at one test came to, in words. */

/** Attempts of a group that are named by their numbers. */
const MOST_NUMBERS = 12;

export interface Alike {
  /** The one that is shown in full. */
  first: UnitResult;
  /** How it stands for the others: undefined where there are none. */
  others: string | undefined;
}

/**
 * Attempts at a test that ended alike: the same verdict for the same reason, but for numbers in it.
 * In the order in which the first of each ran.
 */
export function alikeAttempts(units: readonly UnitResult[]): Alike[] {
  const groups = groupBy(units, (unit) => {
    const { fs, test, variant, pmem, powerCut, verdict, reason, findings } = unit;
    const cut = powerCut !== undefined;
    const signatures = [...new Set(findings.map(({ signature }) => signature))].sort();
    const why = reason.replace(/\d+/g, '0');
    return JSON.stringify([fs, test, variant, pmem, cut, verdict, why, signatures]);
  });
  return [...groups.values()].map((group) => {
    const [first, ...rest] = group as [UnitResult, ...UnitResult[]];
    const numbers = rest.slice(0, MOST_NUMBERS).map(({ attempt }) => attempt);
    const more = rest.length - numbers.length;
    const others =
      rest.length === 0
        ? undefined
        : `so did ${rest.length} more: ${rest.length === 1 ? 'attempt' : 'attempts'} ${numbers.join(', ')}${more > 0 ? ` and ${more} others` : ''}`;
    // Of those that fail alike one is explained, and not always the first.
    const explanation = group.find((one) => one.explanation)?.explanation;
    return { first: explanation ? { ...first, explanation } : first, others };
  });
}

/**
 * `ext2 generic/002: 3 of 100 attempts failed, 3 % (95 % interval: 0.62 to 8.5 %)`.
 *
 * @param among the others that are told beside it: what differs between them is named
 */
export function describeRepeats(own: Repeats, among: readonly Repeats[] = []): string {
  const { fs, test, variant, pmem, powerCut, counts, failures } = own;
  const differs = (key: 'variant' | 'pmem' | 'powerCut') =>
    among.some((other) => other[key] !== own[key]);
  const parts = [
    ...(differs('variant') ? [variant] : []),
    `${fs} ${test}`,
    ...(differs('pmem') ? [pmem] : []),
    ...(differs('powerCut') ? [powerCut ? 'with power cuts' : 'without power cuts'] : []),
  ];
  const name = escapeForTerminal(parts.join(', '));
  const unknown = VERDICTS.filter((verdict) => verdict !== 'pass' && verdict !== 'fail').flatMap(
    (verdict) => (counts[verdict] ? [`${counts[verdict]} ${verdict}`] : []),
  );
  const besides = unknown.length > 0 ? `; not counted: ${unknown.join(', ')}` : '';
  if (!failures) return `${name}: no attempt passed or failed${besides}`;
  const failed = counts.fail ?? 0;
  const trials = failed + (counts.pass ?? 0);
  const [low, high] = failures.interval;
  return `${name}: ${failed} of ${trials} attempts failed, ${percent(failures.rate)} % (95 % interval: ${percent(low)} to ${percent(high)} %)${besides}`;
}

/** Two digits that count. */
function percent(share: number): string {
  return Number((100 * share).toPrecision(2)).toString();
}
