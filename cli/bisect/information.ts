import { type Posterior, type Question, sumsOver } from './posterior.js';

/** The information that a run gives, in bits. */

/** The entropy of an event of this probability. */
export function entropy(probability: number): number {
  if (probability <= 0 || probability >= 1) return 0;
  return -probability * Math.log2(probability) - (1 - probability) * Math.log2(1 - probability);
}

/**
 * The expected information of one run of each build: the mutual information of its outcome and the
 * hypothesis.
 */
export function informationOf(
  { builds }: Question,
  { probabilities, rates }: Posterior,
): Float64Array {
  const fails = new Float64Array(probabilities.length);
  const noise = new Float64Array(probabilities.length);
  // Adjacent hypotheses usually have the same rate.
  let [before, bits] = [0, 0];
  for (let one = 0; one < probabilities.length; one += 1) {
    const [probability = 0, rate = 0] = [probabilities[one], rates[one]];
    if (probability === 0) continue;
    if (rate !== before) [before, bits] = [rate, entropy(rate)];
    fails[one] = probability * rate;
    noise[one] = probability * bits;
  }
  const failing = sumsOver(fails, builds);
  const lost = sumsOver(noise, builds);
  return failing.map((probability, build) => entropy(probability) - (lost[build] ?? 0));
}

/**
 * The most information that one run can give, in bits: the capacity of a Z-channel that transmits a 1
 * correctly with this probability, and a 0 always.
 */
export function zCapacity(rate: number): number {
  if (rate >= 1) return 1;
  if (rate <= 0) return 0;
  const missed = 1 - rate;
  return Math.log2(1 + rate * missed ** (missed / rate));
}
