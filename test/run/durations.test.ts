import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { UnitResult } from '../../cli/results/run-result.js';
import { knownDurations, learnDurations } from '../../cli/run/durations.js';
import { estimateAll } from '../../cli/statistics/estimate.js';
import { UNIT } from '../util/results.js';

const unit = (
  test: string,
  durationSeconds: number,
  more: Partial<UnitResult> = {},
): UnitResult => ({
  ...UNIT,
  suite: { name: 'xfstests', version: '1' },
  test,
  durationSeconds,
  ...more,
});
const LIKE = { suite: 'xfstests', fs: 'ext2', accel: 'tcg', together: false } as const;

t.test('remembers durations by file system, accelerator and kind of guest', async (t) => {
  const store = { root: t.testdir() };
  const known = async (more = {}) =>
    Object.fromEntries(await knownDurations(store, { ...LIKE, ...more }));
  t.strictSame(await known(), {});
  const shared = { guest: 1, after: [], alone: '' };
  await learnDurations(store, [
    unit('generic/001', 10),
    unit('generic/002', 20, { verdict: 'fail' }),
    unit('generic/003', 900, { ending: 'unit-timeout' }),
    unit('generic/004', 30, { fs: 'xfs' }),
    unit('generic/005', 40, { accel: 'kvm' }),
    unit('generic/006', 50, { together: { ...shared, position: 2 } }),
    // Includes all that precedes the first test, as in a guest of its own.
    unit('generic/007', 60, { together: { ...shared, position: 1 } }),
  ]);
  t.strictSame(await known(), { 'generic/001': 10, 'generic/002': 20, 'generic/007': 60 });
  t.strictSame(await known({ fs: 'xfs' }), { 'generic/004': 30 });
  t.strictSame(await known({ accel: 'kvm' }), { 'generic/005': 40 });
  t.strictSame(await known({ together: true }), { 'generic/006': 50 });
  await learnDurations(store, [unit('generic/001', 20)]);
  t.match(await known(), { 'generic/001': 15, 'generic/002': 20 });
});

t.test('keeps the durations of two runs that end at once', async (t) => {
  const store = { root: t.testdir() };
  const tests = Array.from({ length: 8 }, (_, n) => `generic/00${n}`);
  await Promise.all(tests.map((test) => learnDurations(store, [unit(test, 1)])));
  t.strictSame([...(await knownDurations(store, LIKE)).keys()].sort(), tests);
});

t.test('ignores a broken file', async (t) => {
  const store = { root: t.testdir() };
  mkdirSync(join(store.root, 'references'));
  writeFileSync(join(store.root, 'references/durations-xfstests-ext2-tcg.json'), '{"a": "long"}');
  t.equal((await knownDurations(store, LIKE)).size, 0);
});

t.test('estimates all tests', async (t) => {
  t.equal(estimateAll([]), undefined);
  t.equal(estimateAll([undefined]), undefined);
  t.equal(estimateAll([10, undefined, 30]), 60);
});
