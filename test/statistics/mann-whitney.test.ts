import fc from 'fast-check';
import t from 'tap';
import { holm, leastP, mannWhitney, median } from '../../cli/statistics/mann-whitney.js';

// The expected values are from R's wilcox.test.
t.test('is exact for small groups', (t) => {
  t.equal(mannWhitney([1, 2, 3], [4, 5, 6]), 0.1, '2 of 20 ways');
  t.ok(Math.abs(mannWhitney([1, 2, 3, 4], [5, 6, 7, 8]) - 2 / 70) < 1e-12);
  t.ok(Math.abs(mannWhitney([1.1, 2.2, 3.3, 9.9], [4.4, 5.5, 6.6, 7.7, 8.8]) - 0.28571) < 1e-4);
  t.equal(mannWhitney([1, 1, 1], [1, 1, 1]), 1, 'all values are equal');
  t.equal(mannWhitney([], [1]), 1);
  t.equal(mannWhitney([1], [2]), 1, 'one value each proves nothing');
  t.end();
});

t.test('uses the normal approximation for large groups', (t) => {
  const from = (start: number, count: number) =>
    Array.from({ length: count }, (_, index) => start + index);
  // It is close to the exact p where both can be computed.
  const [a, b] = [from(0, 30), from(9, 30)];
  const [more, others] = [from(0, 31), from(9, 30)];
  t.ok(Math.abs(mannWhitney(a, b) - mannWhitney(more, others)) < 0.01);
  t.ok(mannWhitney(from(0, 50), from(100, 50)) < 1e-15);
  t.equal(mannWhitney(new Array(40).fill(3), new Array(40).fill(3)), 1);
  t.end();
});

t.test('computes the least possible p', (t) => {
  t.equal(leastP(1, 1), 1);
  t.equal(leastP(4, 4), 2 / 70);
  t.equal(leastP(0, 4), 1);
  t.end();
});

t.test('corrects for several tests', (t) => {
  t.strictSame(holm([0.01, 0.04, 0.02], 0.05), [true, true, true]);
  t.strictSame(
    holm([0.01, 0.04, 0.03], 0.05),
    [true, false, false],
    'the second has to pass 0.025',
  );
  t.strictSame(holm([], 0.05), []);
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.end();
});

t.test('has its properties for any numbers', async () => {
  const groups = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 });
  const same = (p: number, q: number) => Math.abs(p - q) < 1e-9;
  fc.assert(
    fc.property(groups, groups, (a, b) => {
      const p = mannWhitney(a, b);
      // Only the order of the values matters.
      const stretched = [a, b].map((group) => group.map((value) => value ** 3 - 5)) as [
        number[],
        number[],
      ];
      return p > 0 && p <= 1 && same(p, mannWhitney(b, a)) && same(p, mannWhitney(...stretched));
    }),
  );
});
