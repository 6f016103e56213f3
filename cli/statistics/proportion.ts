/**
 * How well a number of failures tells the rate of failure behind it.
 */

/** A rate and what it may really be. */
export interface Proportion {
  rate: number;
  /** The exact (Clopper and Pearson, 1934) interval: the true rate lies in it with `confidence`. */
  interval: [low: number, high: number];
}

/**
 * @param hits how often it happened
 * @param trials how often it could have: at least 1
 */
export function proportion(hits: number, trials: number, confidence = 0.95): Proportion {
  const tail = (1 - confidence) / 2;
  return {
    rate: hits / trials,
    interval: [
      // The rate at which so many hits, or more, would be this improbable; and so few, or fewer.
      hits === 0 ? 0 : root((rate) => 1 - atMost(hits - 1, trials, rate) - tail),
      hits === trials ? 1 : root((rate) => tail - atMost(hits, trials, rate)),
    ],
  };
}

/** The probability of at most so many hits, of the binomial distribution. */
export function atMost(hits: number, trials: number, rate: number): number {
  if (rate <= 0 || hits >= trials) return 1;
  if (rate >= 1) return 0;
  // In logarithms: the terms of a thousand trials are too small for a number.
  let term = trials * Math.log1p(-rate);
  let sum = Math.exp(term);
  for (let k = 1; k <= hits; k += 1) {
    term += Math.log((trials - k + 1) / k) + Math.log(rate) - Math.log1p(-rate);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** Where a function that grows from 0 to 1 passes zero, to 12 digits. */
function root(grows: (at: number) => number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 45; step += 1) {
    const middle = (low + high) / 2;
    if (grows(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
