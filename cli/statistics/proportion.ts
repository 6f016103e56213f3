/**
 * Confidence intervals of a failure rate.
 */

/** An observed rate and its confidence interval. */
export interface Proportion {
  rate: number;
  /** The exact interval (Clopper and Pearson, 1934). It contains the true rate with `confidence`. */
  interval: [low: number, high: number];
}

/**
 * @param hits the number of failures
 * @param trials the number of attempts, at least 1
 */
export function proportion(hits: number, trials: number, confidence = 0.95): Proportion {
  const tail = (1 - confidence) / 2;
  return {
    rate: hits / trials,
    interval: [
      // At the low end, this many hits or more have the probability `tail`; at the high end, or fewer.
      hits === 0 ? 0 : root((rate) => 1 - atMost(hits - 1, trials, rate) - tail),
      hits === trials ? 1 : root((rate) => tail - atMost(hits, trials, rate)),
    ],
  };
}

/** The cumulative binomial distribution: the probability of at most `hits` hits. */
export function atMost(hits: number, trials: number, rate: number): number {
  if (rate <= 0 || hits >= trials) return 1;
  if (rate >= 1) return 0;
  // Use logarithms, because the terms of a thousand trials underflow.
  let term = trials * Math.log1p(-rate);
  let sum = Math.exp(term);
  for (let k = 1; k <= hits; k += 1) {
    term += Math.log((trials - k + 1) / k) + Math.log(rate) - Math.log1p(-rate);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** The zero of a growing function between 0 and 1, to 12 digits. */
function root(grows: (at: number) => number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 45; step += 1) {
    const middle = (low + high) / 2;
    if (grows(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
