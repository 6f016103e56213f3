import fc from 'fast-check';
import t from 'tap';
import { atMost, proportion } from '../../cli/statistics/proportion.js';

// The definition, for small numbers: a sum of binomial terms.
function slow(hits: number, trials: number, rate: number): number {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  let sum = 0;
  for (let k = 0; k <= hits; k += 1)
    sum += choose(trials, k) * rate ** k * (1 - rate) ** (trials - k);
  return sum;
}

t.test('computes the binomial distribution', async (t) => {
  for (const [hits, trials, rate] of [
    [0, 1, 0.5],
    [2, 10, 0.3],
    [9, 10, 0.99],
    [7, 20, 0.05],
  ] as const) {
    t.ok(Math.abs(atMost(hits, trials, rate) - slow(hits, trials, rate)) < 1e-12);
  }
  t.equal(atMost(3, 3, 0.5), 1);
  t.equal(atMost(0, 5, 0), 1);
  t.equal(atMost(0, 5, 1), 0);
  t.ok(Math.abs(atMost(500, 1000, 0.5) - 0.512612509089) < 1e-9, 'no underflow');
});

t.test('computes the interval from the tails', async (t) => {
  // No failure in n: the upper end solves (1 - p)^n = 0.025.
  t.ok(Math.abs(proportion(0, 100).interval[1] - (1 - 0.025 ** (1 / 100))) < 1e-10);
  t.equal(proportion(0, 100).interval[0], 0);
  // The mirror image.
  t.ok(Math.abs(proportion(100, 100).interval[0] - 0.025 ** (1 / 100)) < 1e-10);
  t.equal(proportion(100, 100).interval[1], 1);
  for (const [hits, trials] of [
    [1, 10],
    [3, 20],
    [10, 12],
  ] as const) {
    const { rate, interval } = proportion(hits, trials);
    t.equal(rate, hits / trials);
    t.ok(Math.abs(1 - slow(hits - 1, trials, interval[0]) - 0.025) < 1e-9, `low of ${hits}`);
    t.ok(Math.abs(slow(hits, trials, interval[1]) - 0.025) < 1e-9, `high of ${hits}`);
  }
  t.ok(proportion(3, 20, 0.5).interval[1] < proportion(3, 20).interval[1]);
});

// No more hits than trials.
const counts = fc
  .integer({ min: 1, max: 300 })
  .chain((trials) =>
    fc.record({ hits: fc.integer({ min: 0, max: trials }), trials: fc.constant(trials) }),
  );

t.test('the binomial distribution has its properties for any numbers', async () => {
  const rates = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(counts, rates, ({ hits, trials }, rate) => {
      const below = hits === 0 ? 0 : atMost(hits - 1, trials, rate);
      const mirrored = hits === trials ? 0 : atMost(trials - hits - 1, trials, 1 - rate);
      const p = atMost(hits, trials, rate);
      return below <= p + 1e-12 && p <= 1 + 1e-12 && Math.abs(p + mirrored - 1) < 1e-9;
    }),
  );
});

t.test('the interval has its properties for any numbers', async () => {
  fc.assert(
    fc.property(counts, ({ hits, trials }) => {
      const { rate, interval } = proportion(hits, trials);
      const other = proportion(trials - hits, trials).interval;
      const mirrored = Math.abs(interval[0] - (1 - other[1])) < 1e-9;
      return (
        0 <= interval[0] &&
        interval[0] <= rate &&
        rate <= interval[1] &&
        interval[1] <= 1 &&
        mirrored
      );
    }),
  );
});
