import t from 'tap';
import { zCapacity } from '../../cli/bisect/information.js';
import { type Change, GOOD, planBisection } from '../../cli/bisect/plan.js';
import { dice, linearChanges, simulate } from '../../cli/bisect/simulate.js';

/** The policy with simulated guests. `npm run bench:bisect` prints the whole table. */

const LIMITS = { confidence: 0.95, leastRate: 0.001, maxRuns: 100_000 };

function planned(changes: readonly Change[]) {
  const plan = planBisection('0', changes);
  if (!plan.ok) throw new Error(plan.failure.message);
  return plan.value;
}

/** The number of right answers in 100, and their mean number of runs. */
function hundred(commits: number, rate: number, bisections = 100) {
  const plan = planned(linearChanges(commits));
  let [right, runs] = [0, 0];
  for (let at = 0; at < bisections; at += 1) {
    const random = dice(at * 7919 + commits * 13 + Math.round(rate * 1000));
    const truth = Math.floor(random() * commits);
    const isBad = (change: number) => change >= truth;
    const ended = simulate(plan, { isBad, rate, random }, LIMITS);
    if (ended.named === truth) right += 1;
    runs += ended.runs;
  }
  return { right: (100 * right) / bisections, runs: runs / bisections };
}

for (const commits of [8, 64, 1024]) {
  for (const rate of [0.05, 0.1, 0.2, 0.5, 1]) {
    t.test(`${commits} commits, a failure rate of ${rate}`, async (t) => {
      // Rare failures in long histories take long, so do fewer than a hundred.
      const { right, runs } = hundred(commits, rate, commits === 1024 && rate < 0.2 ? 20 : 100);
      const most = (2 * (Math.log2(commits) + Math.log2(20))) / zCapacity(rate);
      t.ok(right >= 95, `right in ${right} of 100`);
      t.ok(runs <= most, `${runs} runs are no more than ${most}`);
    });
  }
}

t.test('names all changes that no testable build separates, and no others', async (t) => {
  const plan = planned(linearChanges(16));
  // Builds 8 and 9 are those of changes 7 and 8: the cause is one of 7, 8 and 9.
  const untestable = new Set([8, 9]);
  const world = { isBad: (change: number) => change >= 8, rate: 0.3, random: dice(5) };
  const { named } = simulate(plan, world, LIMITS, untestable);
  t.equal(named, 7, 'the first of the candidates');
});

t.test('finds a change in a history with branches', async (t) => {
  // Two branches of ten, and ten commits after their merge; the bug is on the second one.
  const branch = (name: string, from: number) =>
    Array.from({ length: 10 }, (_, at) => ({
      ...{ id: `${name}${at}`, title: name, content: `${name}${at}` },
      parents: [at === 0 ? GOOD : from + at - 1],
    }));
  const merge = { id: 'm', title: 'merge', parents: [9, 19], content: 'm' };
  const after = branch('c', 21).map((one, at) => ({ ...one, parents: [20 + at] }));
  const plan = planned([...branch('a', 0), ...branch('b', 10), merge, ...after]);
  const isBad = (change: number) => (change >= 14 && change < 20) || change >= 20;
  let right = 0;
  for (let seed = 0; seed < 50; seed += 1) {
    const { named } = simulate(plan, { isBad, rate: 0.3, random: dice(seed) }, LIMITS);
    if (named === 14) right += 1;
  }
  t.ok(right >= 47, `right in ${right} of 50`);
});

t.test('reports a good end that fails, and a bad end that never does', async (t) => {
  const plan = planned(linearChanges(32));
  const always = simulate(plan, { isBad: () => true, rate: 0.2, random: dice(1) }, LIMITS);
  t.equal(always.named, undefined);
  const limits = { ...LIMITS, leastRate: 0.01 };
  const never = simulate(plan, { isBad: () => false, rate: 1, random: dice(1) }, limits);
  t.strictSame(never, { named: undefined, runs: 299 }, 'enough runs to see a failure rate of 1 %');
});
