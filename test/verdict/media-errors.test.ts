import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, finding, goodRecord, replaced, testEvent } from './records.js';

/* Errors of the kernel that a bundled test provokes by poisoning SCRATCH_DEV. */

const io = (more: Partial<Finding> = {}) =>
  finding({
    kind: 'io-error',
    severity: 'corruption',
    device: 'pmem1',
    message: 'I/O error',
    ...more,
  });

const record = (provokes: string, ...findings: Finding[]): UnitRecord => ({
  ...replaced(goodRecord('ext4'), 'test', () => [testEvent({ provokes })]),
  kernelFindings: findings,
});
const judged = (...found: Parameters<typeof record>) =>
  judge(record(...found), expectation('ext4'));

t.test('are notices that say why, where the test announces them', async (t) => {
  for (const kind of ['io-error', 'fs-error'] as const) {
    const judgement = judged('media-errors\n', io({ kind }));
    t.equal(judgement.verdict, 'pass', kind);
    t.match(judgement.findings, [{ severity: 'notice', provoked: 'it reads poisoned memory' }]);
  }
});

t.test('count as ever otherwise', async (t) => {
  t.equal(judged('', io()).verdict, 'fail', 'nothing was announced');
  t.equal(judged('anything', io()).verdict, 'fail', 'something else was announced');
  t.equal(judged('media-errors', io({ device: 'pmem0' })).verdict, 'fail', 'TEST_DEV');
  t.equal(judged('media-errors', io({ device: '' })).verdict, 'fail', 'no device is named');
  t.equal(judged('media-errors', io({ kind: 'warning' })).verdict, 'fail', 'a warning');
  t.equal(judged('media-errors', io(), io({ kind: 'oops' })).verdict, 'fail', 'an oops besides');
});

t.test('count in a test of the user’s and in a session, whatever the guest says', async (t) => {
  const found = record('media-errors', io());
  t.equal(judge(found, expectation('ext4', { userTest: true })).verdict, 'fail');
  t.equal(judge(found, expectation('ext4', { session: 'file-system' })).verdict, 'fail');
});

t.test('do not excuse a check that finds damage', async (t) => {
  const damaged = record('media-errors', io());
  const log = { ...damaged.checks.test, clean: false, findings: [finding({ tool: 'e2fsck' })] };
  const judgement = judge({ ...damaged, checks: { test: log as never } }, expectation('ext4'));
  t.equal(judgement.verdict, 'fail');
});
