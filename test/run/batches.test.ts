import t from 'tap';
import type { Unit } from '../../cli/plan/unit.js';
import { inBatches, longestFirst } from '../../cli/run/batches.js';
import { XFSTESTS_UNIT } from '../util/units.js';

const unit = (test: string, more: Partial<Unit> = {}): Unit => ({
  ...XFSTESTS_UNIT,
  test,
  ...more,
});

const tests = (units: Unit[], jobs = 1, together = true) =>
  inBatches(units, jobs, together).map((batch) =>
    batch.map(({ unit, index }) => `${index} ${unit.test}`),
  );

const THREE = ['generic/010', 'generic/002', 'generic/100'].map((test) => unit(test));

t.test('gives each unit its own guest by default', async (t) => {
  t.strictSame(tests(THREE, 1, false), [['0 generic/010'], ['1 generic/002'], ['2 generic/100']]);
});

t.test('orders the tests of a guest as check runs them', async (t) => {
  t.strictSame(tests(THREE), [['1 generic/002', '0 generic/010', '2 generic/100']]);
});

t.test('gives every concurrent guest some tests', async (t) => {
  t.strictSame(tests(THREE, 2), [['1 generic/002', '0 generic/010'], ['2 generic/100']]);
});

t.test('separates units that differ in more than the test, or that check skips', async (t) => {
  const units = [
    unit('generic/001'),
    unit('generic/001', { attempt: 2, seed: 8 }),
    unit('generic/001', { variant: 'v2' }),
    unit('generic/002', {
      facts: { groups: [], provokes: [], summary: '', missing: true },
    }),
    unit('generic/003', {
      facts: { groups: ['quick'], provokes: ['no-dmesg-check'], summary: 'x' },
    }),
    unit('generic/004', { suite: { name: 'builtin', version: '1' } }),
    unit('generic/005', { powerCut: { cuts: 1, states: 1 } }),
    unit('generic/006', { shape: { ...XFSTESTS_UNIT.shape, recorded: true } }),
  ];
  t.strictSame(tests(units), [
    ['3 generic/002'],
    ['5 generic/004'],
    ['6 generic/005'],
    ['7 generic/006'],
    ['0 generic/001', '4 generic/003'],
    ['1 generic/001'],
    ['2 generic/001'],
  ]);
});

t.test('repeats the guests of an earlier run', async (t) => {
  const guests: Record<string, string> = { 'generic/100': '1', 'generic/002': '1' };
  const batches = inBatches(THREE, 2, ({ test }) => guests[test]);
  t.strictSame(
    batches.map((batch) => batch.map(({ unit, index }) => `${index} ${unit.test}`)),
    [['0 generic/010'], ['1 generic/002', '2 generic/100']],
  );
});

t.test('limits the number of tests in a guest', async (t) => {
  const many = Array.from({ length: 101 }, (_, n) => unit(`generic/${String(n).padStart(3, '0')}`));
  t.strictSame(
    inBatches(many, 1, true).map(({ length }) => length),
    [50, 50, 1],
  );
});

t.test('starts the longest first', async (t) => {
  const batches = inBatches([...THREE, unit('generic/101')], 1, false);
  const seconds: Record<string, number> = { 'generic/002': 5, 'generic/100': 50 };
  const order = longestFirst(batches, ({ test }) => seconds[test]).map(([one]) => one?.unit.test);
  t.strictSame(order, ['generic/100', 'generic/002', 'generic/010', 'generic/101']);
  t.equal(longestFirst(batches, undefined), batches);
});
