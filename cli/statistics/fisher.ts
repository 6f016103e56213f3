import { proportion } from './proportion.js';

/** Whether two numbers of failures tell two failure rates apart. */

export interface Count {
  hits: number;
  /** At least 1. */
  trials: number;
}

/**
 * Fisher's exact test, two-sided: the probability of a table as improbable as this one, or more so, if
 * both rates are the same.
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
    // Tables that are as improbable are the same but for rounding.
    if (one <= own * (1 + 1e-9)) sum += one;
  }
  return Math.min(1, sum);
}

/**
 * The rate of b less that of a, and what that may really be. The interval is made of the exact ones of
 * both rates, each with the root of the confidence: at least as wide as it has to be.
 */
export function difference(a: Count, b: Count, confidence = 0.95) {
  const [one, two] = [a, b].map(({ hits, trials }) =>
    proportion(hits, trials, Math.sqrt(confidence)),
  ) as [ReturnType<typeof proportion>, ReturnType<typeof proportion>];
  const interval: [low: number, high: number] = [
    two.interval[0] - one.interval[1],
    two.interval[1] - one.interval[0],
  ];
  return { rate: two.rate - one.rate, interval };
}

/** Runs of each side beyond which nobody is told to go. */
const MOST = 100_000;

/**
 * How many runs of each side would tell the rates apart if they are what they seem: the smallest number
 * of which the test is below `level`. undefined where they seem the same, or it is no number to run.
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
