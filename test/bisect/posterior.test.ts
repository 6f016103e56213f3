import t, { type Test } from 'tap';
import { entropy, informationOf, zCapacity } from '../../cli/bisect/information.js';
import { posteriorOf, type Question, sumsOver } from '../../cli/bisect/posterior.js';

/** Four hypotheses of a history without branches, and its four builds. */
const linear: Question = { prior: Float64Array.of(0.25, 0.25, 0.25, 0.25), builds: [1, 2, 3, 4] };
/** The same, as sets. */
const sets: Question = {
  ...linear,
  builds: [1, 2, 3, 4].map((count) => Uint32Array.from({ length: count }, (_, at) => at)),
};
const near = (t: Test, a: number, b: number, message: string) =>
  t.ok(Math.abs(a - b) < 1e-9, `${message}: ${a} and ${b}`);

t.test('is the prior without runs', async (t) => {
  const { probabilities } = posteriorOf(linear, []);
  t.strictSame([...probabilities], [0.25, 0.25, 0.25, 0.25]);
});

t.test('rules out hypotheses under which a failing build is good', async (t) => {
  const { probabilities } = posteriorOf(linear, [undefined, { passes: 0, failures: 1 }]);
  t.strictSame([...probabilities].slice(2), [0, 0]);
  near(t, probabilities[0] ?? 0, 0.5, 'the others keep their ratio');
});

t.test(
  'a pass counts against hypotheses under which the build is bad, more so at high failure rates',
  async (t) => {
    const odds = (failures: number) => {
      const { probabilities } = posteriorOf(linear, [
        undefined,
        { passes: 1, failures: 0 },
        undefined,
        { passes: 0, failures },
      ]);
      return (probabilities[0] ?? 0) / (probabilities[3] ?? 1);
    };
    t.ok(odds(1) < 1 && odds(1) > 0);
    t.ok(odds(5) < odds(1));
  },
);

t.test('computes in closed form what numeric integration over the rate gives', async (t) => {
  // A prior of 1/5 for a rate of 1, and of 4/5 for Beta(1/2, 1), whose density is 1/(2 √rate).
  const runs = [{ passes: 3, failures: 0 }, undefined, { passes: 2, failures: 2 }, undefined];
  const seen = [5, 2, 2, 0];
  const steps = 400_000;
  const weights = seen.map((passes) => {
    let sum = 0;
    for (let at = 0; at < steps; at += 1) {
      // Step in the square root of the rate, where the density is uniform.
      const rate = ((at + 0.5) / steps) ** 2;
      sum += (rate ** 2 * (1 - rate) ** passes) / steps;
    }
    return 0.8 * sum + (passes === 0 ? 0.2 : 0);
  });
  weights[3] = 0;
  const total = weights.reduce((a, b) => a + b);
  const { probabilities, rates } = posteriorOf(linear, runs);
  for (const [at, weight] of weights.entries()) {
    t.ok(Math.abs((probabilities[at] ?? 0) - weight / total) < 1e-6, `hypothesis ${at}`);
  }
  near(t, rates[0] ?? 0, 2.5 / 8.5, 'the expected rate');
});

t.test('gives the same numbers for prefixes and for sets', async (t) => {
  const runs = [
    { passes: 2, failures: 0 },
    { passes: 1, failures: 0 },
    { passes: 1, failures: 1 },
  ];
  const [a, b] = [posteriorOf(linear, runs), posteriorOf(sets, runs)];
  for (let at = 0; at < 4; at += 1) {
    near(t, a.probabilities[at] ?? 0, b.probabilities[at] ?? 1, `probability ${at}`);
  }
  const [one, two] = [informationOf(linear, a), informationOf(sets, b)];
  for (let at = 0; at < 4; at += 1) near(t, one[at] ?? 0, two[at] ?? 1, `information ${at}`);
  t.strictSame([...sumsOver(Float64Array.of(1, 2, 3, 4), [0, 3, Uint32Array.of(1, 3)])], [0, 6, 6]);
});

t.test('gives probability 0 to all if the runs contradict every hypothesis', async (t) => {
  const apart: Question = {
    prior: Float64Array.of(1, 1),
    builds: [Uint32Array.of(0), Uint32Array.of(1)],
  };
  const once = { passes: 0, failures: 1 };
  t.strictSame([...posteriorOf(apart, [once, once]).probabilities], [0, 0]);
});

t.test(
  'gives no information for a certain build, and most for one that halves the doubt',
  async (t) => {
    const failed = posteriorOf(linear, [
      undefined,
      undefined,
      undefined,
      { passes: 0, failures: 3 },
    ]);
    const bits = informationOf(linear, failed);
    near(t, bits[3] ?? 1, 0, 'a build that is bad under every hypothesis');
    t.ok((bits[1] ?? 0) > (bits[0] ?? 0));
    t.equal(entropy(0.5), 1);
    t.equal(entropy(0), 0);
  },
);

t.test('computes the capacity of a Z-channel', async (t) => {
  t.equal(zCapacity(1), 1);
  t.equal(zCapacity(0), 0);
  // A textbook value: log2(5) - 2 at a rate of 1/2.
  near(t, zCapacity(0.5), Math.log2(5) - 2, 'at a rate of 1/2');
});
