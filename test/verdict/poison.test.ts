import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, finding, goodRecord, replaced, testEvent } from './records.js';

/* Units with --poison: TEST_DEV has bytes that the kernel refuses to read. */

const POISON = [{ offset: 1_048_576, length: 8192 }];
/** Sectors 2048 to 2063, as the kernel lists them: ranges may be split. */
const MARKS = '2048 8\n2056 8\n';

const io = (more: Partial<Finding> = {}) =>
  finding({
    ...{ kind: 'io-error', severity: 'corruption', device: 'pmem0', message: 'I/O error' },
    ...more,
  });

interface How {
  marks?: string;
  /** At the end. */
  left?: string;
  found?: Finding[];
  test?: Parameters<typeof testEvent>[0];
  damaged?: boolean;
  ending?: UnitRecord['ending'];
  expected?: Partial<Expectation>;
}

function judged({
  marks = MARKS,
  left,
  found = [],
  test = {},
  damaged,
  ending,
  expected,
}: How = {}) {
  const good = goodRecord('ext4');
  const before = { event: 'poison', when: 'before', marks } as GuestEvent;
  const after = { event: 'poison', when: 'after', marks: left } as GuestEvent;
  const record = replaced(good, 'test', () => [
    before,
    testEvent(test),
    ...(left === undefined ? [] : [after]),
  ]);
  const log = { ...good.checks.test, clean: false, findings: [finding({ tool: 'e2fsck' })] };
  return judge(
    {
      ...record,
      kernelFindings: found,
      ...(ending ? { ending } : {}),
      ...(damaged ? { checks: { test: log as never } } : {}),
    },
    expectation('ext4', { poison: POISON, ...expected }),
  );
}

t.test('a pass names the poison, and what the kernel said of it', async (t) => {
  t.match(judged(), {
    verdict: 'pass',
    reason:
      /^the test passed .*; TEST_DEV was poisoned at 1048576\+8192, and the kernel reported no error of it$/,
  });
  for (const kind of ['io-error', 'fs-error'] as const) {
    const met = judged({ found: [io({ kind }), io({ kind, device: 'pmem0-8' })] });
    t.match(met, { verdict: 'pass', reason: /and the kernel reported 2 errors of it$/ });
    t.match(met.findings, [
      { severity: 'notice', provoked: /^bytes of TEST_DEV are poisoned/ },
      {},
    ]);
  }
});

t.test('what writes cleared is said', async (t) => {
  for (const [left, said] of [
    [MARKS, /no error of it$/],
    ['2056 8\n', /; writes cleared 4096 bytes of the poison$/],
    ['0 2049\n2063 100\n', /; writes cleared 7168 bytes of the poison$/],
    ['', /; writes cleared 8192 bytes of the poison$/],
  ] as const) {
    t.match(judged({ left }).reason, said, JSON.stringify(left));
  }
});

t.test('a bundled test that fails, or damage, may come from the poison', async (t) => {
  for (const how of [
    { test: { status: 1, failures: 'a read failed' } },
    { test: { status: 137, timedOut: true } },
    { damaged: true },
    { damaged: true, expected: { userTest: true } },
  ]) {
    t.match(judged(how), {
      verdict: 'error',
      reason: /; TEST_DEV was poisoned .*that may be why$/,
    });
  }
});

t.test('a test of the user’s and a session know about the poison', async (t) => {
  const failed = { test: { status: 1, failures: 'exit code 1' } };
  for (const expected of [{ userTest: true }, { session: 'file-system' as const }]) {
    t.match(judged({ ...failed, expected }), {
      verdict: 'fail',
      reason: /exit code 1; TEST_DEV was poisoned/,
    });
  }
});

t.test('what else the kernel complains of counts', async (t) => {
  for (const found of [
    io({ kind: 'oops' }),
    io({ kind: 'warning' }),
    io({ device: 'pmem1' }),
    io({ device: 'pmem01' }),
    io({ device: '' }),
  ]) {
    const judgement = judged({ found: [found] });
    t.match(judgement, { verdict: 'fail', reason: /; TEST_DEV was poisoned/ }, String(found.kind));
  }
  const panic = judged({ ending: { kind: 'panic', message: 'x' } });
  t.match(panic, { verdict: 'fail', reason: /; TEST_DEV was poisoned/ });
});

t.test('without the marks it was not what was asked for', async (t) => {
  for (const marks of [
    '',
    '2048 8\n',
    '2048 8\n2057 8\n',
    '2049 15\n',
    'x y\n',
    '0 2048\n',
    '2056 8\n2048 8\n',
  ]) {
    t.match(judged({ marks }), {
      verdict: 'invalid',
      reason: /the kernel did not list the poison at 1048576\+8192 on TEST_DEV/,
    });
  }
  for (const marks of ['2048 16', '0 2050\n2049 100\n']) {
    t.equal(judged({ marks }).verdict, 'pass', JSON.stringify(marks));
  }
  t.equal(judged({ test: { status: 77, notrun: 'no' } }).verdict, 'notrun');
});

t.test('without --poison such errors count as ever', async (t) => {
  t.equal(judged({ found: [io()], expected: { poison: undefined } }).verdict, 'fail');
});
