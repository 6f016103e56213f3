import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import { causeOf, causeOfStall, stallOf } from '../../cli/findings/stall.js';

const finding = (kind: string, message: string, lines: string[] = []) =>
  ({ tool: 'kernel', kind, message, lines, signature: 's', severity: 'corruption' }) as Finding;

/** The period that a report speaks of, and the limit after which the kernel reports. */
const STALLS: [Finding, { limit: number; seconds: number }][] = [
  [
    finding('rcu-stall', 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', [
      'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
      'rcu: \t0-...!: (0 ticks this GP) idle=f4dc/0/0x0 softirq=0/0 fqs=0',
      'rcu: \t(detected by 0, t=5252 jiffies, g=1453, q=17 ncpus=1)',
    ]),
    { limit: 21, seconds: 5252 / 250 },
  ],
  [
    finding('rcu-stall', 'rcu: INFO: rcu_sched self-detected stall on CPU', [
      '(t=21002 jiffies g=5)',
    ]),
    { limit: 21, seconds: 21.002 },
  ],
  [
    finding(
      'rcu-stall',
      'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }',
    ),
    { limit: 21, seconds: 21 },
  ],
  [
    finding('soft-lockup', 'watchdog: BUG: soft lockup - CPU#0 stuck for 48s! [bash:1]'),
    { limit: 20, seconds: 48 },
  ],
  [
    finding('hard-lockup', 'watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 0'),
    { limit: 10, seconds: 10 },
  ],
  [
    finding('hung-task', 'INFO: task xfsaild/pmem0:99 blocked for more than 122 seconds.'),
    { limit: 122, seconds: 122 },
  ],
  [
    finding('hung-task', 'INFO: task a b:9 blocked in I/O wait for more than 60 seconds.'),
    { limit: 60, seconds: 60 },
  ],
  [
    finding(
      'workqueue-lockup',
      'BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 43s!',
    ),
    { limit: 30, seconds: 43 },
  ],
];
for (const [one, stall] of STALLS) {
  t.test(one.message, async (t) => t.strictSame(stallOf(one), stall));
}

t.test('ignores findings that are not stalls', async (t) => {
  t.equal(stallOf(finding('oops', 'BUG: stuck for 20s')), undefined);
  t.equal(causeOf(finding('oops', 'BUG: stuck for 20s')), 'guest');
});

t.test('decides who caused a stall', async (t) => {
  const supply = (starved: number, unseen = 0, seconds = 21) => ({
    seconds,
    ran: 0,
    starved,
    unseen,
  });
  t.equal(causeOfStall(21, supply(0)), 'guest', "counts a guest's idle time as its own");
  t.equal(causeOfStall(21, supply(2)), 'guest');
  t.equal(causeOfStall(21, supply(4)), 'unclear');
  t.equal(causeOfStall(21, supply(10)), 'unclear');
  t.equal(causeOfStall(21, supply(11)), 'host');
  t.equal(causeOfStall(21, supply(21)), 'host');
  t.equal(causeOfStall(21, supply(0, 10)), 'unclear', 'half of it is unknown');
  t.equal(causeOfStall(21, supply(0, 21)), 'unclear', 'all of it is unknown');
  t.equal(
    causeOfStall(20, supply(60, 0, 90)),
    'guest',
    'stuck for longer in its own time than allowed',
  );
  t.equal(causeOfStall(21, undefined), 'guest', 'a log that did not come from one of our guests');
});
