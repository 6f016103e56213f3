/**
 * Computes the probability of each change to be the first bad one. Pure; knows no commits or guests.
 *
 * There is a hypothesis for each change that can be the first bad one. Under it, builds with the change
 * fail at one rate, and the others never fail (a Z-channel: a failure is proof, a pass is a hint). The
 * rate is unknown, so it is integrated out. Its prior is exactly 1 with some probability, for ordinary
 * bugs, and a beta distribution otherwise. This has a closed form: with F failures, and S passes of
 * builds that are bad under h,
 *
 *     P(h | runs) ∝ prior(h) · (CERTAIN · [S = 0] + (1 - CERTAIN) · B(A + F, Z + S) / B(A, Z))
 *
 * where B is the beta function. If a build failed that is good under h, the probability is 0.
 */

/** The prior of the rate: exactly 1 with probability CERTAIN, otherwise Beta(A, Z). */
const CERTAIN = 0.2;
const A = 0.5;
const Z = 1;

/**
 * The hypotheses under which a build is bad: the first N of them (always so in a history without
 * branches), or their indices.
 */
export type BadUnder = number | Uint32Array;

export interface Question {
  /** The weight of each hypothesis; the sum need not be 1. */
  prior: Float64Array;
  /** For each build, the hypotheses under which it is bad. */
  builds: readonly BadUnder[];
}

export interface BuildRuns {
  passes: number;
  failures: number;
}

export interface Posterior {
  /** By hypothesis, with sum 1. All 0 if the runs contradict every hypothesis. */
  probabilities: Float64Array;
  /** By hypothesis: the expected failure rate if it is true. */
  rates: Float64Array;
}

export function posteriorOf(
  { prior, builds }: Question,
  runs: readonly (BuildRuns | undefined)[],
): Posterior {
  const count = prior.length;
  const passes = new Float64Array(count);
  const possible = new Uint8Array(count).fill(1);
  let failures = 0;
  // Builds that are bad under the first N hypotheses: add differences, and sum them up once.
  const steps = new Float64Array(count + 1);
  let atMost = count;
  for (const [build, done] of runs.entries()) {
    if (!done || done.passes + done.failures === 0) continue;
    const bad = builds[build] as BadUnder;
    failures += done.failures;
    if (typeof bad === 'number') {
      steps[0] = (steps[0] ?? 0) + done.passes;
      steps[bad] = (steps[bad] ?? 0) - done.passes;
      if (done.failures > 0) atMost = Math.min(atMost, bad);
      continue;
    }
    for (const one of bad) passes[one] = (passes[one] ?? 0) + done.passes;
    if (done.failures === 0) continue;
    const among = new Uint8Array(count);
    for (const one of bad) among[one] = 1;
    for (let one = 0; one < count; one += 1) if (!among[one]) possible[one] = 0;
  }
  const weights = new Float64Array(count);
  const rates = new Float64Array(count);
  let running = 0;
  // Adjacent hypotheses usually have the same evidence.
  let evidence = { seen: -1, log: 0, rate: 0 };
  let greatest = Number.NEGATIVE_INFINITY;
  for (let one = 0; one < count; one += 1) {
    running += steps[one] ?? 0;
    const seen = (passes[one] ?? 0) + running;
    if (seen !== evidence.seen) evidence = { seen, ...evidenceOf(failures, seen) };
    rates[one] = evidence.rate;
    const fits = one < atMost && possible[one] === 1 && (prior[one] ?? 0) > 0;
    const weight = fits ? Math.log(prior[one] ?? 0) + evidence.log : Number.NEGATIVE_INFINITY;
    weights[one] = weight;
    greatest = Math.max(greatest, weight);
  }
  if (greatest === Number.NEGATIVE_INFINITY) return { probabilities: weights.fill(0), rates };
  let sum = 0;
  for (let one = 0; one < count; one += 1) {
    if (weights[one] === Number.NEGATIVE_INFINITY) {
      weights[one] = 0;
      continue;
    }
    const weight = Math.exp((weights[one] ?? 0) - greatest);
    weights[one] = weight;
    sum += weight;
  }
  for (let one = 0; one < count; one += 1) weights[one] = (weights[one] ?? 0) / sum;
  return { probabilities: weights, rates };
}

/** The log likelihood of these failures and passes of bad builds, and the expected failure rate. */
function evidenceOf(failures: number, passes: number): { log: number; rate: number } {
  const beta = logBeta(A + failures, Z + passes) - logBeta(A, Z);
  const rate = (A + failures) / (A + failures + Z + passes);
  if (passes > 0) return { log: Math.log(1 - CERTAIN) + beta, rate };
  const uncertain = (1 - CERTAIN) * Math.exp(beta);
  const all = CERTAIN + uncertain;
  return { log: Math.log(all), rate: (CERTAIN + uncertain * rate) / all };
}

/** For each build, the sum of the values of the hypotheses under which it is bad. */
export function sumsOver(values: Float64Array, builds: readonly BadUnder[]): Float64Array {
  const cumulative = new Float64Array(values.length + 1);
  for (let one = 0; one < values.length; one += 1) {
    cumulative[one + 1] = (cumulative[one] ?? 0) + (values[one] ?? 0);
  }
  const sums = new Float64Array(builds.length);
  for (let build = 0; build < builds.length; build += 1) {
    const bad = builds[build] as BadUnder;
    if (typeof bad === 'number') {
      sums[build] = cumulative[bad] ?? 0;
      continue;
    }
    let sum = 0;
    for (const one of bad) sum += values[one] ?? 0;
    sums[build] = sum;
  }
  return sums;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

const known = new Map<number, number>();

/** ln Γ(x) for x > 0, by Stirling's series above 8 and the recurrence below, to 12 digits. */
function logGamma(x: number): number {
  const before = known.get(x);
  if (before !== undefined) return before;
  let shift = 0;
  let at = x;
  for (; at < 8; at += 1) shift += Math.log(at);
  const square = 1 / (at * at);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / at;
  const value = (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
  known.set(x, value);
  return value;
}
