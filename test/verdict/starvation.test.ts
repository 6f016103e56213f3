import t from 'tap';
import type { CpuSupply } from '../../cli/cpu-supply.js';
import type { Finding } from '../../cli/findings/finding.js';
import type { Ending } from '../../cli/guest/ending.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import { describeSupply } from '../../cli/verdict/starvation.js';
import { expectation, finding, goodRecord, replaced, testEvent } from './records.js';
import { FAILED, goodXfstests, ID, said } from './xfstests-records.js';

const supply = (seconds: number, starved: number, unseen = 0): CpuSupply => ({
  seconds,
  ran: (seconds - starved) / 2,
  starved,
  unseen,
});

const stall = (cpu: CpuSupply | undefined, more: Partial<Finding> = {}): Finding =>
  finding({
    kind: 'rcu-stall',
    severity: 'corruption',
    message: 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
    ...(cpu ? { cpu } : {}),
    ...more,
  });

const FULL = supply(21, 0);
const STARVED = supply(21, 19);
const BETWEEN = supply(21, 6);

const OOPS = finding({ kind: 'oops', severity: 'corruption', message: 'BUG: NULL pointer' });
const SHORTAGE = { ...supply(300, 290), available: 10 };

const found =
  (...kernelFindings: Finding[]) =>
  (record: UnitRecord): UnitRecord => ({ ...record, kernelFindings });
const ended =
  (ending: Ending, ...findings: Finding[]) =>
  (record: UnitRecord): UnitRecord => ({ ...found(...findings)(record), ending });
const timedOut =
  (test: CpuSupply | undefined) =>
  (record: UnitRecord): UnitRecord => ({
    ...replaced(record, 'test', () => [testEvent({ timedOut: true, status: 124 })]),
    cpu: { unit: supply(90, 0), test },
  });

const CASES: {
  name: string;
  record: (record: UnitRecord) => UnitRecord;
  verdict: string;
  reason: RegExp;
}[] = [
  {
    name: 'a stall of a guest that had its time',
    record: found(stall(FULL)),
    verdict: 'fail',
    reason: /detected stalls/,
  },
  {
    name: 'a stall of which nothing is known, from a log',
    record: found(stall(undefined)),
    verdict: 'fail',
    reason: /detected stalls/,
  },
  {
    name: 'a stall of a starved guest',
    record: found(stall(STARVED)),
    verdict: 'pass',
    reason:
      /no problems were found; 1 stall of a starved guest: the host gave the guest 5 % of a CPU for 21 s before this, and kept it waiting for 19 s$/,
  },
  {
    name: 'several of them',
    record: found(
      stall(STARVED),
      stall(STARVED, { kind: 'soft-lockup', message: 'BUG: soft lockup' }),
    ),
    verdict: 'pass',
    reason: /2 stalls of a starved guest/,
  },
  {
    name: 'a stall that either may have caused',
    record: found(stall(BETWEEN)),
    verdict: 'error',
    reason: /detected stalls.*either may be the cause/,
  },
  {
    name: 'a stall at a time that nobody saw',
    record: found(stall(supply(21, 0, 21))),
    verdict: 'error',
    reason: /of 21 s nothing is known/,
  },
  {
    name: "the guest's own stall beside one of the host",
    record: found(stall(STARVED), stall(FULL)),
    verdict: 'fail',
    reason: /detected stalls/,
  },
  {
    name: 'what else the kernel says of a starved guest is its own',
    record: found(stall(STARVED), OOPS),
    verdict: 'fail',
    reason: /NULL pointer/,
  },
  {
    name: 'the same beside an unclear stall',
    record: found(stall(BETWEEN), OOPS),
    verdict: 'fail',
    reason: /NULL pointer/,
  },
  {
    name: 'a test that failed for another reason',
    record: (record) =>
      replaced(found(stall(STARVED))(record), 'test', () => [
        testEvent({ status: 1, failures: 'lost' }),
      ]),
    verdict: 'fail',
    reason: /lost/,
  },
  {
    name: 'the same, of a test that had too little time for another part',
    record: (record) => ({
      ...replaced(record, 'test', () => [testEvent({ status: 1, failures: 'lost' })]),
      cpu: { unit: supply(90, 50), test: supply(60, 40) },
    }),
    verdict: 'fail',
    reason: /^lost$/,
  },
  {
    name: 'an unclear stall in a test that does not apply',
    record: (record) =>
      replaced(found(stall(BETWEEN))(record), 'test', () => [testEvent({ status: 77 })]),
    verdict: 'error',
    reason: /either may be the cause/,
  },
  {
    name: 'a starved guest of another kernel than was asked for',
    record: (record) => ({
      ...ended({ kind: 'hang', seconds: 60, step: 'test', shortage: SHORTAGE })(record),
      ready: record.ready && { ...record.ready, release: '5.10.0' },
    }),
    verdict: 'invalid',
    reason: /^the guest runs kernel 5\.10\.0, not 6\.1\.0-56-amd64$/,
  },
  {
    name: 'a hang of a guest that had its time',
    record: ended({ kind: 'hang', seconds: 60, step: 'test' }),
    verdict: 'fail',
    reason: /did not respond/,
  },
  {
    name: 'a hang of a starved guest',
    record: ended({ kind: 'hang', seconds: 60, step: 'test', shortage: SHORTAGE }),
    verdict: 'error',
    reason: /did not respond.*kept it waiting for 290 s/,
  },
  {
    name: 'a hang of a starved guest whose kernel oopsed',
    record: ended({ kind: 'hang', seconds: 60, step: 'test', shortage: SHORTAGE }, OOPS),
    verdict: 'fail',
    reason: /did not respond/,
  },
  {
    name: 'a stall of the host in a unit that took too long',
    record: ended({ kind: 'unit-timeout', seconds: 60, step: 'test' }, stall(STARVED)),
    verdict: 'error',
    reason: /did not finish within 60 s/,
  },
  {
    name: 'a panic of a starved guest',
    record: ended({ kind: 'panic', message: 'Fatal exception' }, stall(STARVED)),
    verdict: 'fail',
    reason: /panicked/,
  },
  {
    name: 'a test that did not end, in a guest that had its time',
    record: timedOut(supply(60, 1)),
    verdict: 'fail',
    reason: /test timed out/,
  },
  {
    name: 'a test that did not end, in a starved guest',
    record: timedOut(supply(60, 40)),
    verdict: 'error',
    reason: /test timed out; the host gave/,
  },
];

for (const { name, record, verdict, reason } of CASES) {
  t.test(name, async (t) => {
    const judgement = judge(record(goodRecord('ext4')), expectation('ext4'));
    t.equal(judgement.verdict, verdict, judgement.reason);
    t.match(judgement.reason, reason);
  });
}

t.test('keeps a stall caused by the host as a notice', async (t) => {
  const { findings } = judge(found(stall(STARVED))(goodRecord('xfs')), expectation('xfs'));
  t.match(findings, [{ kind: 'rcu-stall', severity: 'notice', cpu: STARVED }]);
});

t.test(
  'an undecided unit keeps its findings and its proof, and gets an outcome under xfstests',
  async (t) => {
    const { findings, dax, ...rest } = judge(
      found(stall(BETWEEN))(goodRecord('ext4')),
      expectation('ext4'),
    );
    t.match(rest, { verdict: 'error', reason: /either may be the cause/ });
    t.strictSame(Object.keys(rest).sort(), ['reason', 'verdict']);
    t.match(findings, [{ kind: 'rcu-stall', severity: 'notice' }]);
    t.match(dax, { proven: true, driver: 'ext4' });
    const xfstests = expectation('ext4', { xfstests: { test: ID } });
    t.match(judge(found(stall(BETWEEN))(goodXfstests('ext4')), xfstests), {
      verdict: 'error',
      outcome: 'undecided',
    });
  },
);

t.test("xfstests' own check of the kernel log does not know about the host", async (t) => {
  const complaint = `${FAILED}_check_dmesg: something found in dmesg (see ${ID}.dmesg)\n`;
  const record = replaced(goodXfstests('ext4'), 'xfstests', () => [
    said({ status: 1, output: complaint, files: 'full dmesg ', times: '' }),
  ]);
  const xfstests = expectation('ext4', { xfstests: { test: ID } });
  t.match(judge(record, xfstests), { verdict: 'fail', outcome: 'kernel-log' });
  t.match(judge(found(stall(STARVED))(record), xfstests), {
    verdict: 'error',
    outcome: 'undecided',
    reason: /errors in the kernel log: rcu: INFO: .*; the host gave the guest/,
  });
  t.match(judge(found(stall(STARVED), OOPS)(record), xfstests), { verdict: 'fail' });
});

t.test('describes the CPU time', async (t) => {
  const text = (cpu: Partial<CpuSupply>) =>
    describeSupply({ seconds: 20, ran: 5, starved: 4, unseen: 0, ...cpu });
  t.equal(
    text({}),
    'the host gave the guest 25 % of a CPU for 20 s before this, and kept it waiting for 4 s',
  );
  t.match(text({ seconds: 0 }), /guest 0 % of a CPU for 0 s/);
  t.match(text({ unseen: 0.9 }), /waiting for 4 s$/);
  t.match(text({ unseen: 1 }), /waiting for 4 s; of 1 s nothing is known$/);
});
