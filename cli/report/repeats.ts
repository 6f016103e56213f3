import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { Repeats, UnitResult } from '../results/run-result.js';
import type { Proportion } from '../statistics/proportion.js';
import { VERDICTS } from '../verdict/judge.js';

/** The results of many attempts at one test, as text. */

/** Attempts of a group that are listed. */
const MOST_NUMBERS = 12;

export interface Alike {
  /** The attempt that is shown in full. */
  first: UnitResult;
  /** A sentence about the others; undefined if there are none. */
  others: string | undefined;
}

/**
 * Groups attempts at a test that ended alike: with the same verdict and reason, apart from numbers. In the
 * order of the first of each.
 */
export function alikeAttempts(units: readonly UnitResult[]): Alike[] {
  const groups = groupBy(units, (unit) => {
    const { fs, test, variant, pmem, powerCut, kernel, verdict, reason, findings } = unit;
    const cut = powerCut !== undefined;
    const signatures = [...new Set(findings.map(({ signature }) => signature))].sort();
    const why = reason.replace(/\d+/g, '0');
    return JSON.stringify([fs, test, variant, pmem, cut, kernel.asked, verdict, why, signatures]);
  });
  return [...groups.values()].map((group) => {
    const [first, ...rest] = group as [UnitResult, ...UnitResult[]];
    const numbers = rest.slice(0, MOST_NUMBERS).map(({ attempt }) => attempt);
    const more = rest.length - numbers.length;
    const others =
      rest.length === 0
        ? undefined
        : `${rest.length} more like this: ${rest.length === 1 ? 'attempt' : 'attempts'} ${numbers.join(', ')}${more > 0 ? ` and ${more} others` : ''}`;
    // Only one of them is explained, and not always the first.
    const explanation = group.find((one) => one.explanation)?.explanation;
    return { first: explanation ? { ...first, explanation } : first, others };
  });
}

/**
 * `ext2 generic/002: 3 of 100 attempts failed, 3 % (95 % interval: 0.62 to 8.5 %)`.
 *
 * @param among the repeats shown together: the name has the fields in which they differ
 */
export function describeRepeats(own: Repeats, among: readonly Repeats[] = []): string {
  const { fs, test, variant, pmem, powerCut, kernel, counts, failures } = own;
  const differs = (key: 'variant' | 'pmem' | 'powerCut' | 'kernel') =>
    among.some((other) => other[key] !== own[key]);
  const parts = [
    ...(differs('kernel') && kernel !== undefined ? [kernel] : []),
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
  return `${name}: ${failed} of ${trials} attempts failed, ${describeRateOf(failures)}${besides}`;
}

/** `3 % (95 % interval: 0.62 to 8.5 %)` */
export function describeRateOf({ rate, interval: [low, high] }: Proportion): string {
  return `${percent(rate)} % (95 % interval: ${percent(low)} to ${percent(high)} %)`;
}

/** With two significant digits. */
function percent(share: number): string {
  return Number((100 * share).toPrecision(2)).toString();
}
