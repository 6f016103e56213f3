import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readClocks, supplyBetween, type ThreadClock } from '../../cli/guest/cpu-clock.js';
import { CpuHistory } from '../../cli/guest/cpu-history.js';
import { MOST_PATIENCE, patience } from '../../cli/guest/limit-timers.js';

const clock = (ran: number, waited: number | undefined, state = 'S', name = 'CPU 0/TCG') =>
  ({ name, state, ran, waited, ahead: 0 }) satisfies ThreadClock;
const one = (thread: ThreadClock) => new Map([['8', thread]]);
const both = (cpu: ThreadClock, main: ThreadClock) =>
  new Map([
    ['7', main],
    ['8', cpu],
  ]);

t.test('reads the threads on which progress depends', async (t) => {
  const proc = t.testdir();
  const thread = (id: number, name: string, schedstat: string | undefined) => {
    const directory = join(proc, '7/task', String(id));
    mkdirSync(directory, { recursive: true });
    const fields = 'R 1 1 1 0 -1 0 1 0 0 0 150 50 0 0 20 0';
    writeFileSync(join(directory, 'stat'), `${id} (${name}) ${fields}\n`);
    if (schedstat !== undefined) writeFileSync(join(directory, 'schedstat'), schedstat);
  };
  thread(7, 'qemu-system-x86', '1500000000 250000000 12\n');
  thread(8, 'CPU 0/TCG', '9000000000 1000000000 12\n');
  thread(9, 'a ) (S 3) worker', '5000000000 0 12\n');
  const threads = readClocks(7, proc);
  t.strictSame(threads?.get('7'), clock(1.5, 0.25, 'R', 'qemu-system-x86'));
  t.strictSame(threads?.get('8'), clock(9, 1, 'R'));
  t.equal(threads?.has('9'), false, 'others do other work');

  thread(8, 'ALL CPUs/TCG', undefined);
  t.equal(readClocks(7, proc)?.get('8')?.name, 'ALL CPUs/TCG');
  const older = join(proc, '20');
  mkdirSync(join(older, 'task/20'), { recursive: true });
  const fields = 'R 1 1 1 0 -1 0 1 0 0 0 150 50 0 0 20 0';
  writeFileSync(join(older, 'task/20/stat'), `20 (qemu) ${fields}\n`);
  t.strictSame(
    readClocks(20, proc)?.get('20'),
    clock(2, undefined, 'R', 'qemu'),
    'counts in ticks on a kernel without schedstat',
  );
  t.equal(readClocks(99, proc), undefined, 'reads nothing of a process that is gone');
});

/** Two readings of one thread, and what the guest lacked in the second between them. */
const LACKS: [string, ThreadClock, ThreadClock, number][] = [
  ['it ran', clock(5, 2), clock(6, 2), 0],
  ['an idle guest sleeps and lacks nothing', clock(5, 2), clock(5, 2), 0],
  ['it waited for a processor', clock(5, 2, 'R'), clock(5.2, 2.8, 'R'), 0.8],
  ['it waits still', clock(5, 2, 'R'), clock(5, 2, 'R'), 1],
  ['it was stopped', clock(5, 2), clock(5, 2, 'T'), 1],
  ['it was stopped in between', clock(5, 2), clock(5.3, 2.1, 'T'), 0.7],
  ['it waits for the disk of the host', clock(5, 2), clock(5.5, 2, 'D'), 0.5],
  ['a tracer holds it', clock(5, 2), clock(5, 2, 't'), 1],
  [
    'without schedstat: runnable, but it did not run',
    clock(5, undefined, 'R'),
    clock(5.25, undefined, 'R'),
    0.75,
  ],
];
for (const [name, before, after, lacked] of LACKS) {
  t.test(name, async (t) => {
    const { seconds, ran, starved, unseen } = supplyBetween(one(before), one(after), 1);
    t.ok(Math.abs(starved - lacked) < 1e-9, `${starved}`);
    t.ok(Math.abs(ran - (after.ran - before.ran)) < 1e-9);
    t.strictSame([seconds, unseen], [1, 0]);
  });
}

t.test('counts a wait once, although the kernel reports it at its end', async (t) => {
  const first = one(clock(5, 2, 'R'));
  const second = one(clock(5, 2, 'R'));
  const third = one(clock(5, 2, 'R'));
  const fourth = one(clock(5.1, 4.4, 'R'));
  const starved = [
    supplyBetween(first, second, 1).starved,
    supplyBetween(second, third, 1).starved,
    supplyBetween(third, fourth, 1).starved,
  ];
  t.strictSame(starved.slice(0, 2), [1, 1]);
  t.ok(Math.abs(starved.reduce((sum, value) => sum + value) - 2.4) < 1e-9, `${starved}`);
});

t.test('takes the thread that lacks most: the main one delivers interrupts', async (t) => {
  const supply = supplyBetween(
    both(clock(5, 2), clock(1, 0, 'S', 'qemu')),
    both(clock(6, 2), clock(1, 0.9, 'S', 'qemu')),
    1,
  );
  t.ok(Math.abs(supply.starved - 0.9) < 1e-9);
  t.equal(supply.ran, 1, 'takes only virtual CPUs for the time that passed');
});

t.test('counts time without readings as unseen', async (t) => {
  t.match(supplyBetween(undefined, one(clock(5, 2)), 1), { unseen: 1 });
  t.match(supplyBetween(one(clock(5, 2)), undefined, 1), { unseen: 1 });
  t.match(supplyBetween(one(clock(5, 2)), one(clock(6, 3)), 10), { starved: 1, unseen: 8 });
  t.match(supplyBetween(one(clock(5, 2)), new Map([['9', clock(5, 2)]]), 1), { unseen: 1 });
});

const interval = (from: number, seconds: number, starved: number) => ({
  from,
  seconds,
  ran: seconds - starved,
  starved,
  unseen: 0,
});

t.test('answers for any stretch of the history', async (t) => {
  const history = new CpuHistory();
  for (let at = 100; at < 110; at += 0.25) history.add(interval(at, 0.25, at < 105 ? 0 : 0.25));
  t.match(history.between(100, 110), { seconds: 10, ran: 5, starved: 5, unseen: 0 });
  t.match(history.between(102, 104), { seconds: 2, starved: 0 });
  t.match(history.between(106.5, 108), { seconds: 1.5, starved: 1.5, ran: 0 });
  t.match(history.between(95, 105), { seconds: 10, unseen: 5 }, 'before it began');
  t.match(history.between(108, 120), { seconds: 12, starved: 2, unseen: 10 });
  t.match(history.longestStarved(100, 110), { from: 105, seconds: 5, starved: 5 });
  t.equal(history.longestStarved(100, 104), undefined);
});

t.test('needs no more memory for a day than for an hour', async (t) => {
  const history = new CpuHistory();
  for (let at = 0; at < 86_400; at += 1) history.add(interval(at, 1, at % 2));
  const { seconds, starved, unseen } = history.between(0, 86_400);
  t.ok(Math.abs(starved - 43_200) < 1);
  t.match({ seconds, unseen }, { seconds: 86_400, unseen: 0 });
  t.ok(JSON.stringify(Object.values(history)).length < 1000);
});

t.test('measures a limit in the time that the guest had', async (t) => {
  const supply = (seconds: number, starved: number, unseen = 0) => ({
    seconds,
    ran: 0,
    starved,
    unseen,
  });
  t.strictSame(patience(60, supply(60, 0)), { shortage: undefined });
  t.strictSame(patience(60, supply(60, 40)), { wait: 40 });
  t.strictSame(
    patience(60, supply(100, 40)),
    { shortage: undefined },
    'extended by what it lacked',
  );
  t.strictSame(patience(60, supply(60, 0, 30)), { wait: 30 }, 'what nobody saw proves nothing');
  const most = MOST_PATIENCE * 60;
  t.strictSame(patience(60, supply(most - 5, most - 5)), { wait: 5 }, 'but not without end');
  t.match(patience(60, supply(most, most - 10)), { shortage: { seconds: most, available: 10 } });
  t.strictSame(patience(60, supply(most, most - 60)), { shortage: undefined });
});
