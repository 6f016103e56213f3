/** Tests whether two failure rates differ. */

export interface Count {
  hits: number;
  /** At least 1. */
  trials: number;
}

/**
 * Fisher's exact test, two-sided: the probability of a table that is at most as probable as this one, if
 * both rates are equal.
 */
export function fisherTest(a: Count, b: Count): number {
  const hits = a.hits + b.hits;
  const trials = a.trials + b.trials;
  const all = logChoose(trials, hits);
  const probability = (ofA: number) =>
    Math.exp(logChoose(a.trials, ofA) + logChoose(b.trials, hits - ofA) - all);
  const own = probability(a.hits);
  let sum = 0;
  for (let ofA = Math.max(0, hits - b.trials); ofA <= Math.min(hits, a.trials); ofA += 1) {
    const one = probability(ofA);
    // Allow for rounding when comparing equally probable tables.
    if (one <= own * (1 + 1e-9)) sum += one;
  }
  return Math.min(1, sum);
}

/** 95 % of a normal distribution lie within this many standard deviations. */
const DEVIATIONS = 1.959_963_985;

/**
 * The rate of b minus the rate of a, and its 95 % confidence interval: Newcombe's, from the score
 * intervals of both rates (Statistics in Medicine 17, 1998, method 10).
 */
export function difference(a: Count, b: Count) {
  const [one, two] = [scoreInterval(a), scoreInterval(b)];
  const rate = two.rate - one.rate;
  const interval: [low: number, high: number] = [
    rate - Math.hypot(two.rate - two.low, one.high - one.rate),
    rate + Math.hypot(two.high - two.rate, one.rate - one.low),
  ];
  return { rate, interval };
}

/** Wilson's score interval (1927). */
function scoreInterval({ hits, trials }: Count) {
  const rate = hits / trials;
  const square = DEVIATIONS ** 2;
  const middle = rate + square / (2 * trials);
  const half = DEVIATIONS * Math.sqrt((rate * (1 - rate)) / trials + square / (4 * trials ** 2));
  const scale = 1 + square / trials;
  return { rate, low: (middle - half) / scale, high: (middle + half) / scale };
}

/** The largest number of runs per side that is ever suggested. */
const MOST = 100_000;

/**
 * The runs per side that would show a difference if the observed rates are the true ones: the smallest
 * number with a p below `level`. undefined if the rates are equal, or the number is too large to run.
 */
export function runsToTell(a: Count, b: Count, level: number): number | undefined {
  const [one, two] = [a.hits / a.trials, b.hits / b.trials];
  const tells = (trials: number) => {
    const count = (rate: number) => ({ hits: Math.round(rate * trials), trials });
    return fisherTest(count(one), count(two)) < level;
  };
  if (one === two) return undefined;
  let high = 1;
  while (!tells(high)) {
    high *= 2;
    if (high > MOST) return undefined;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (tells(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const factorials = [0];

function logFactorial(n: number): number {
  for (let at = factorials.length; at <= n; at += 1) {
    factorials.push((factorials[at - 1] ?? 0) + Math.log(at));
  }
  return factorials[n] ?? 0;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
