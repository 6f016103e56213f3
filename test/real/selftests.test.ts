import t, { type Test } from 'tap';
import type { UnitResult } from '../../cli/results/run-result.js';
import { runJson } from './daxrepro.js';

// Guests that break and tests that lie get the verdict in their summary.
t.setTimeout(30 * 60 * 1000);

const EXPECTED: Record<string, [verdict: string, reason: RegExp]> = {
  'selftest/alone': ['pass', /no problems were found/],
  'selftest/broken': ['error', /never works/],
  'selftest/corrupt': ['fail', /e2fsck: .*ref count/],
  'selftest/fail': ['fail', /always fails/],
  'selftest/flood': ['pass', /no problems were found/],
  'selftest/full': ['pass', /no problems were found/],
  'selftest/forge': ['error', /not JSON/],
  'selftest/leftover': ['pass', /no problems were found/],
  'selftest/lose-dax': ['invalid', /after the test: DAX is not among the mount options/],
  'selftest/misaligned': [
    'invalid',
    /on SCRATCH_DEV: DAX does not reach the bytes of the block device: of 4096 bytes written/,
  ],
  'selftest/notrun': ['notrun', /never applies/],
  'selftest/panic': ['fail', /panic/i],
  'selftest/poweroff': ['fail', /shut down in step test/],
  'selftest/stall': ['fail', /blocked for more than \d+ seconds/],
  'selftest/stopped': ['pass', /no problems were found/],
  'selftest/timeout': ['fail', /timed out/],
  'selftest/warning': ['fail', /kernel: .*selftest_warning/],
  'selftest/wrong-driver': ['invalid', /served by the ext4 driver/],
};

/**
 * A failure for lack of time is undecided where the host kept the guest waiting, as the hosts of these tests
 * may: their verdict is then `error`, and the reason says so.
 */
const NEED_TIME = ['selftest/hang', 'selftest/stall', 'selftest/timeout'];

function expectVerdict(t: Test, unit: UnitResult, expected: string, why: RegExp): void {
  const { test, verdict, reason } = unit;
  t.match(reason, why, test);
  const starved = /the host gave the guest \d+ % of a CPU/.test(reason);
  if (verdict === 'error' && starved && NEED_TIME.includes(test)) {
    t.comment(`${test} had too little of a CPU to be judged`);
    return;
  }
  t.equal(verdict, expected, `${test}: ${reason}`);
}

t.test('gives each its verdict', async (t) => {
  const ids = Object.keys(EXPECTED);
  const words = ['ext2', ...ids, '--timeout', '40', '--jobs', '1'];
  const { result, exitCode } = await runJson(words, t.testdir());
  t.equal(exitCode, 1);
  for (const unit of result.units) {
    const [expected, why] = EXPECTED[unit.test] ?? ['none', /^$/];
    expectVerdict(t, unit, expected, why);
  }
  t.equal(result.units.length, ids.length);
  t.ok(
    result.units.every(({ clonedMounted }) => clonedMounted),
    'all began mounted',
  );
});

t.test('judges a guest that hangs', async (t) => {
  const { result } = await runJson(['ext4', 'selftest/hang'], t.testdir());
  t.match(result.units, [{ ending: 'hang' }]);
  for (const unit of result.units) expectVerdict(t, unit, 'fail', /did not respond for \d+ s/);
});

t.test('finds damage of xfs', async (t) => {
  const { result } = await runJson(['xfs', 'selftest/corrupt'], t.testdir());
  t.match(result.units[0], { verdict: 'fail', findings: [{ tool: 'xfs_repair' }] });
});
