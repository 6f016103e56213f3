import fc from 'fast-check';
import t from 'tap';
import { difference, fisherTest, runsToTell } from '../../cli/statistics/fisher.js';

const of = (hits: number, trials: number) => ({ hits, trials });

t.test("computes Fisher's exact test", async (t) => {
  const near = (p: number, expected: number) => t.ok(Math.abs(p - expected) < 5e-7, `${p}`);
  // Textbook examples: the lady tasting tea, and dieting men and women.
  near(fisherTest(of(3, 4), of(1, 4)), 0.4857143);
  near(fisherTest(of(1, 12), of(9, 12)), 0.0027594);
  t.equal(fisherTest(of(0, 20), of(0, 5)), 1);
  t.equal(fisherTest(of(1, 1), of(0, 1)), 1);
  near(fisherTest(of(0, 5), of(5, 5)), 2 / 252);
  near(fisherTest(of(5, 5), of(0, 5)), 2 / 252);
});

t.test('computes the interval of a difference', async (t) => {
  const near = (value: number, expected: number) =>
    t.ok(Math.abs(value - expected) < 5e-5, `${value}`);
  // Newcombe's examples: 56 of 70 and 48 of 80, 9 of 10 and 3 of 10.
  const { rate, interval } = difference(of(48, 80), of(56, 70));
  near(rate, 0.2);
  near(interval[0], 0.0524);
  near(interval[1], 0.3339);
  const few = difference(of(3, 10), of(9, 10));
  near(few.interval[0], 0.1705);
  near(few.interval[1], 0.809);
  const all = difference(of(0, 5), of(5, 5));
  t.ok(all.interval[0] > 0, 'the interval of a significant difference does not contain 0');
});

t.test('suggests a number of runs', async (t) => {
  t.equal(runsToTell(of(1, 1), of(0, 1), 0.05), 4, '0 of 4 and 4 of 4 differ significantly');
  const needed = runsToTell(of(1, 10), of(0, 10), 0.05) as number;
  t.ok(needed > 40 && needed < 80, `${needed}`);
  const count = (rate: number) => of(Math.round(rate * needed), needed);
  t.ok(fisherTest(count(0.1), count(0)) < 0.05);
  t.equal(runsToTell(of(2, 10), of(4, 20), 0.05), undefined, 'the same rate');
});

t.test("Fisher's exact test has its properties for any numbers", async () => {
  const counts = fc
    .integer({ min: 1, max: 40 })
    .chain((trials) => fc.integer({ min: 0, max: trials }).map((hits) => of(hits, trials)));
  const others = ({ hits, trials }: { hits: number; trials: number }) => of(trials - hits, trials);
  const same = (p: number, q: number) => Math.abs(p - q) < 1e-9;
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const p = fisherTest(a, b);
      const symmetric = same(p, fisherTest(b, a)) && same(p, fisherTest(others(a), others(b)));
      return p > 0 && p <= 1 + 1e-12 && symmetric;
    }),
  );
  fc.assert(fc.property(counts, (a) => same(fisherTest(a, a), 1)));
});
