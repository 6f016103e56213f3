import t from 'tap';
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
  'selftest/notrun': ['notrun', /never applies/],
  'selftest/panic': ['fail', /panic/i],
  'selftest/poweroff': ['fail', /shut down in step test/],
  'selftest/stopped': ['pass', /no problems were found/],
  'selftest/timeout': ['fail', /timed out/],
  'selftest/warning': ['fail', /kernel: .*selftest_warning/],
  'selftest/wrong-driver': ['invalid', /served by the ext4 driver/],
};

t.test('gives each its verdict', async (t) => {
  const ids = Object.keys(EXPECTED);
  const words = ['ext2', ...ids, '--timeout', '40', '--jobs', '1'];
  const { result, exitCode } = await runJson(words, t.testdir());
  t.equal(exitCode, 1);
  for (const { test, verdict, reason } of result.units) {
    const [expected, why] = EXPECTED[test] ?? ['none', /^$/];
    t.equal(verdict, expected, `${test}: ${reason}`);
    t.match(reason, why, test);
  }
  t.equal(result.units.length, ids.length);
});

t.test('judges a guest that hangs', async (t) => {
  const { result } = await runJson(['ext4', 'selftest/hang'], t.testdir());
  t.match(result.units[0], { verdict: 'fail', ending: 'hang' });
});

t.test('finds damage of xfs', async (t) => {
  const { result } = await runJson(['xfs', 'selftest/corrupt'], t.testdir());
  t.match(result.units[0], { verdict: 'fail', findings: [{ tool: 'xfs_repair' }] });
});
