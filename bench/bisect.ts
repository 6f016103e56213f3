/**
 * Simulates how often a bisection is right, and how many runs it takes: a table by failure rate and
 * length of the history.
 *
 * usage: npm run bench:bisect [-- BISECTIONS [CONFIDENCE]] 100 of each, at 0.95
 */
import { zCapacity } from '../cli/bisect/information.js';
import { planBisection } from '../cli/bisect/plan.js';
import { dice, linearChanges, simulate } from '../cli/bisect/simulate.js';

const [bisections = 100, confidence = 0.95] = process.argv.slice(2).map(Number);
const limits = { confidence, leastRate: 0.001, maxRuns: 100_000 };

console.log('commits  rate  right  runs (mean)  2 (log2 commits + log2 20) / C  ratio');
for (const commits of [8, 64, 1024]) {
  const plan = planBisection('0', linearChanges(commits));
  if (!plan.ok) throw new Error(plan.failure.message);
  for (const rate of [0.05, 0.1, 0.2, 0.5, 1]) {
    let [right, runs] = [0, 0];
    for (let at = 0; at < bisections; at += 1) {
      const random = dice(at * 7919 + commits * 13 + Math.round(rate * 1000));
      const truth = Math.floor(random() * commits);
      const isBad = (change: number) => change >= truth;
      const ended = simulate(plan.value, { isBad, rate, random }, limits);
      if (ended.named === truth) right += 1;
      runs += ended.runs / bisections;
    }
    const bound = (2 * (Math.log2(commits) + Math.log2(20))) / zCapacity(rate);
    const share = `${((100 * right) / bisections).toFixed(1)} %`;
    console.log(
      `${String(commits).padStart(7)}  ${String(rate).padStart(4)}  ${share.padStart(7)}  ${runs.toFixed(1).padStart(9)}  ${bound.toFixed(1).padStart(30)}  ${(runs / bound).toFixed(2)}`,
    );
  }
}
