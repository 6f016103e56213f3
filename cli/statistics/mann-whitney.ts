/**
 * Tests whether the numbers of one group tend to be greater than those of another: the Mann-Whitney test
 * (Annals of Mathematical Statistics 18, 1947), which assumes nothing about the distribution.
 */

/** Up to this total size of both groups, p is computed exactly. */
const EXACT = 60;

/** @returns the two-sided p; 1 if a group is empty */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const { ranks, ties } = doubledRanks([...a, ...b]);
  const sum = ranks.slice(0, a.length).reduce((all, rank) => all + rank, 0);
  return a.length + b.length <= EXACT
    ? exact(ranks, a.length, sum)
    : approximate(a.length, b.length, sum, ties);
}

/** Twice the ranks, from 1. Equal numbers share the mean of their ranks, so doubling makes integers. */
function doubledRanks(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = values.map((value, index) => ({ value, index }));
  order.sort((one, other) => one.value - other.value);
  const ranks = new Array<number>(values.length).fill(0);
  const ties: number[] = [];
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]?.value === order[from]?.value) to += 1;
    for (const { index } of order.slice(from, to)) ranks[index] = from + to + 1;
    ties.push(to - from);
    from = to;
  }
  return { ranks, ties };
}

/** The share of all choices of `size` ranks whose sum is at least as far from the middle. */
function exact(ranks: readonly number[], size: number, sum: number): number {
  const most = ranks.reduce((all, rank) => all + rank, 0);
  // ways[k][s]: the number of ways to choose k ranks with the sum s.
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(most + 1));
  (ways[0] as Float64Array)[0] = 1;
  for (const [index, rank] of ranks.entries()) {
    for (let k = Math.min(size, index + 1); k >= 1; k -= 1) {
      const [less, own] = [ways[k - 1] as Float64Array, ways[k] as Float64Array];
      for (let s = most; s >= rank; s -= 1) own[s] = (own[s] ?? 0) + (less[s - rank] ?? 0);
    }
  }
  const middle = (size * most) / ranks.length;
  const distance = Math.abs(sum - middle);
  let [all, far] = [0, 0];
  for (const [s, count] of (ways[size] as Float64Array).entries()) {
    all += count;
    if (Math.abs(s - middle) >= distance - 1e-9) far += count;
  }
  return far / all;
}

/** The normal approximation, corrected for ties and continuity. */
function approximate(a: number, b: number, doubledSum: number, ties: readonly number[]): number {
  const n = a + b;
  const u = doubledSum / 2 - (a * (a + 1)) / 2;
  const tied = ties.reduce((sum, count) => sum + (count ** 3 - count), 0);
  const variance = ((a * b) / 12) * (n + 1 - tied / (n * (n - 1)));
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(u - (a * b) / 2) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * upperTail(z));
}

/** The upper tail of the normal distribution for z >= 0, to 1e-7 (Abramowitz and Stegun, 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const density = Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
  const terms = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  return density * terms.reduceRight((sum, term) => (sum + term) * t, 0);
}

/** The least p that groups of these sizes can have, if one group is entirely above the other. */
export function leastP(a: number, b: number): number {
  if (a === 0 || b === 0) return 1;
  let ways = 1;
  for (let k = 1; k <= a; k += 1) ways = (ways * (b + k)) / k;
  return Math.min(1, 2 / ways);
}

/**
 * Decides which of several tests are significant (Holm, Scandinavian Journal of Statistics 6, 1979). The
 * probability that any of them is significant by chance is at most the level.
 */
export function holm(ps: readonly number[], level: number): boolean[] {
  const order = ps.map((p, index) => ({ p, index })).sort((one, other) => one.p - other.p);
  const significant = ps.map(() => false);
  for (const [rank, { p, index }] of order.entries()) {
    if (p * (ps.length - rank) >= level) break;
    significant[index] = true;
  }
  return significant;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}
