import t from 'tap';
import { historyOf } from '../../cli/history/history.js';
import type { PastRun } from '../../cli/history/read.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { CORRUPTED, FAIL } from '../util/comparisons.js';
import { UNIT } from '../util/results.js';

/** Runs become the history of each test. */

const failing = FAIL as Partial<UnitResult>;
const day = (index: number) => new Date(Date.UTC(2026, 0, index + 1));

function runs(...all: readonly Partial<UnitResult>[][]): PastRun[] {
  return all.map((units, index) => ({
    name: `run-${index}`,
    directory: `/runs/run-${index}`,
    started: day(index),
    command: ['run', 'ext2', 'generic/002'],
    units: units.map((unit) => ({ ...UNIT, ...unit })),
  }));
}

function history(past: PastRun[], byKernel = false) {
  return historyOf(
    { directory: '/runs', runs: past, leftOut: [] },
    { byKernel, command: ['history'] },
  );
}

t.test('finds the first and the last failure, and the rate of all attempts', async (t) => {
  const { tests } = history(runs([{}, {}], [failing], [failing, {}], [{}]));
  t.match(tests, [
    {
      ...{ fs: 'ext2', test: 'generic/002', suite: 'builtin', state: 'failed-before' },
      ...{ failed: 2, decided: 6, firstFailure: 1, lastFailure: 2 },
      results: [
        { run: 0, verdict: 'pass', counts: { pass: 2 } },
        { run: 1, verdict: 'fail', counts: { fail: 1 } },
        { run: 2, verdict: 'fail', counts: { fail: 1, pass: 1 } },
        { run: 3, verdict: 'pass' },
      ],
      signatures: [{ signature: CORRUPTED.signature, first: 1, last: 2, runs: 2 }],
    },
  ]);
  // Clopper and Pearson: 2 of 6.
  const [low, high] = tests[0]?.failures?.interval ?? [0, 0];
  t.equal(low.toFixed(4), '0.0433');
  t.equal(high.toFixed(4), '0.7772');
});

t.test('lists failing tests first, then those without a verdict', async (t) => {
  const { tests } = history(
    runs([
      { test: 'a', verdict: 'pass' },
      { test: 'b', verdict: 'notrun' },
      { test: 'c', verdict: 'error' },
      { test: 'd', ...failing },
      { test: 'e', ...failing, expectedFailure: { reason: 'known', held: true } },
      { test: 'f', ...failing, expectedFailure: { reason: 'another', held: false } },
    ]),
  );
  t.strictSame(
    tests.map(({ test, state }) => `${test} ${state}`),
    ['d failing', 'f failing', 'c no-verdict', 'e expected-failure', 'a passing', 'b notrun'],
  );
  t.equal(tests[2]?.failures, null, 'an error is not a pass, and has no rate');
});

t.test('keeps tests apart that differ in their conditions', async (t) => {
  const names = [
    {},
    { pmem: 'nvdimm' as const },
    { stack: 'linear' as const },
    { poison: [{ offset: 0, length: 4096 }] },
    { partition: true as const },
    { variant: 'v2' },
    { control: true },
    { suite: { name: 'xfstests', version: '1' } },
    { fs: 'xfs' },
  ];
  const past = runs(names, names);
  t.equal(history(past).tests.length, names.length);
  const other = { kernel: { ...UNIT.kernel, spec: 'debian:7.2' } };
  t.equal(history(runs([{}], [other])).tests.length, 1, 'the kernel changes over time');
  t.strictSame(
    history(runs([{}], [other]), true).tests.map(({ kernel }) => kernel),
    ['debian:6.1', 'debian:7.2'],
  );
});

t.test('says what the newest run changed', async (t) => {
  const news = (...all: Partial<UnitResult>[][]) => history(runs(...all)).news;
  t.match(news([{}], [failing]), [
    {
      ...{ kind: 'worse', before: 0, verdicts: { before: 'pass', now: 'fail' } },
      appeared: [{ signature: CORRUPTED.signature, seenBefore: false }],
    },
  ]);
  t.match(
    news([failing], [{}], [failing])[0]?.appeared,
    [{ seenBefore: true }],
    'an earlier run had the finding',
  );
  t.match(news([failing], [{}]), [{ kind: 'better', verdicts: { before: 'fail', now: 'pass' } }]);
  t.match(news([{}], [{ verdict: 'error' }]), [{ kind: 'no-verdict-now' }]);
  t.strictSame(news([failing], [failing]), [], 'nothing is new');
  t.match(news([{}], [{ test: 'new/1' }]), [{ kind: 'new', before: null }]);
  t.match(news([{}], [{ test: 'new/1', ...failing }]), [{ kind: 'worse', before: null }]);
  t.match(
    news([{}], [{ test: 'other' }], [failing]),
    [{ before: 0, kind: 'worse' }],
    'compared with the run before that ran it',
  );
  t.strictSame(news([failing], [{ test: 'b' }], [{ test: 'b' }]), [], 'the newest did not run it');
});

t.test('one pass after a rare failure is no improvement', async (t) => {
  const rare = [failing, ...Array.from({ length: 19 }, () => ({}))];
  const { news } = history(runs(rare, [{}]));
  t.match(news, { length: 1, 0: { kind: 'changed' } });
  t.strictSame([news[0]?.reasons, news[0]?.vanished], [[], []]);
});
