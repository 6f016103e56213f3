import t from 'tap';
import type { Ending } from '../../cli/guest/ending.js';
import {
  type Alive,
  born,
  type GuestLimits,
  type Life,
  type LifeAction,
  type LifeEvent,
  transition,
} from '../../cli/guest/life.js';

const LIMITS: GuestLimits = { boot: 120, silence: 60, notice: 10, afterOops: 30 };

const START: Alive = {
  phase: 'starting',
  step: 'boot',
  panic: undefined,
  oopsed: false,
  quiet: false,
};
const READY: Alive = { ...START, phase: 'ready' };
const RUNNING: Alive = { ...START, phase: 'running', step: 'test' };
const RESTING: Alive = { ...RUNNING, phase: 'resting' };
const OVER: Life = { phase: 'over', ending: { kind: 'finished' } };
const PANICKED: Alive = { ...RUNNING, panic: 'Fatal exception' };

const SHORTAGE = { seconds: 300, ran: 2, starved: 290, unseen: 0, available: 10 };

const ended = (ending: Ending): [Life, LifeAction[]] => [
  { phase: 'over', ending },
  [{ do: 'bury', ending }],
];
const same = (state: Life): [Life, LifeAction[]] => [state, []];
const expired = (
  timer: 'boot' | 'unit' | 'silence' | 'notice' | 'after-oops',
  seconds: number,
) => ({
  type: 'expired' as const,
  timer,
  seconds,
});
const quit = (exitCode: number | null, signal: string | null = null, message = ''): LifeEvent => ({
  type: 'qemu-ended',
  exitCode,
  signal,
  message,
});

t.test('starts a guest with a limit for booting', async (t) => {
  t.strictSame(born(LIMITS), {
    state: START,
    actions: [{ do: 'start-timer', timer: 'boot', seconds: 120 }],
  });
});

/** An event, the state in which it happens, and the result. */
const TABLE: [name: string, Life, LifeEvent, [Life, LifeAction[]]][] = [
  [
    'ready ends the boot',
    START,
    { type: 'ready' },
    [READY, [{ do: 'stop-timer', timer: 'boot' }, { do: 'tell-ready' }]],
  ],
  ['ready twice', READY, { type: 'ready' }, same(READY)],
  ['ready in a unit', RUNNING, { type: 'ready' }, same(RUNNING)],
  ['a unit before ready', START, { type: 'run', seconds: 9 }, same(START)],
  [
    'the first unit: it may hang before it has sent a heartbeat',
    READY,
    { type: 'run', seconds: 9 },
    [
      { ...READY, phase: 'running' },
      [
        { do: 'start-timer', timer: 'unit', seconds: 9 },
        { do: 'start-timer', timer: 'notice', seconds: 10 },
        { do: 'start-timer', timer: 'silence', seconds: 60 },
      ],
    ],
  ],
  [
    'the next unit',
    RUNNING,
    { type: 'run', seconds: 9 },
    [RUNNING, [{ do: 'start-timer', timer: 'unit', seconds: 9 }]],
  ],
  [
    'a unit after a rest',
    RESTING,
    { type: 'run', seconds: 9 },
    [RUNNING, [{ do: 'start-timer', timer: 'unit', seconds: 9 }]],
  ],
  ['a rest', RUNNING, { type: 'rest' }, [RESTING, [{ do: 'stop-timer', timer: 'unit' }]]],
  ['a rest of what does not run', READY, { type: 'rest' }, same(READY)],
  ['a step', RUNNING, { type: 'step', name: 'fsck' }, same({ ...RUNNING, step: 'fsck' })],
  [
    'a heartbeat',
    RUNNING,
    { type: 'heartbeat' },
    [
      RUNNING,
      [
        { do: 'start-timer', timer: 'notice', seconds: 10 },
        { do: 'start-timer', timer: 'silence', seconds: 60 },
      ],
    ],
  ],
  [
    'a heartbeat after silence',
    { ...RUNNING, quiet: true },
    { type: 'heartbeat' },
    [
      RUNNING,
      [
        { do: 'tell-silence', seconds: undefined },
        { do: 'start-timer', timer: 'notice', seconds: 10 },
        { do: 'start-timer', timer: 'silence', seconds: 60 },
      ],
    ],
  ],
  [
    'silence is told',
    RUNNING,
    expired('notice', 10),
    [{ ...RUNNING, quiet: true }, [{ do: 'tell-silence', seconds: 10 }]],
  ],
  [
    'silence is a hang',
    RUNNING,
    expired('silence', 60),
    ended({ kind: 'hang', seconds: 60, step: 'test' }),
  ],
  [
    'silence of a starved guest',
    RUNNING,
    { ...expired('silence', 60), shortage: SHORTAGE },
    ended({ kind: 'hang', seconds: 60, step: 'test', shortage: SHORTAGE }),
  ],
  ['no boot', START, expired('boot', 120), ended({ kind: 'boot-timeout', seconds: 120 })],
  ['the boot time is over when it has booted', READY, expired('boot', 120), same(READY)],
  [
    'too slow a unit',
    RUNNING,
    expired('unit', 9),
    ended({ kind: 'unit-timeout', seconds: 9, step: 'test' }),
  ],
  ['the unit time is over while it rests', RESTING, expired('unit', 9), same(RESTING)],
  [
    'an oops',
    RUNNING,
    { type: 'oops' },
    [{ ...RUNNING, oopsed: true }, [{ do: 'start-timer', timer: 'after-oops', seconds: 30 }]],
  ],
  [
    'a second oops gives no more time',
    { ...RUNNING, oopsed: true },
    { type: 'oops' },
    same({ ...RUNNING, oopsed: true }),
  ],
  [
    'too long after an oops',
    { ...RUNNING, oopsed: true },
    expired('after-oops', 30),
    ended({ kind: 'hang', seconds: 30, step: 'test' }),
  ],
  ['a panic', RUNNING, { type: 'panic', message: 'Fatal exception' }, same(PANICKED)],
  ...(['silence', 'unit', 'after-oops'] as const).map((timer): (typeof TABLE)[number] => [
    `${timer} after a panic`,
    PANICKED,
    expired(timer, 60),
    ended({ kind: 'panic', message: 'Fatal exception' }),
  ]),
  [
    'no boot after a panic',
    { ...START, panic: 'stuck' },
    expired('boot', 120),
    ended({ kind: 'panic', message: 'stuck' }),
  ],
  [
    'QEMU ends after a panic',
    PANICKED,
    quit(0),
    ended({ kind: 'panic', message: 'Fatal exception' }),
  ],
  ['QEMU ends', RUNNING, quit(0), ended({ kind: 'guest-shutdown', step: 'test' })],
  [
    'QEMU fails',
    START,
    quit(1, null, 'could not load kernel'),
    ended({ kind: 'qemu-died', exitCode: 1, signal: null, message: 'could not load kernel' }),
  ],
  [
    'QEMU crashes',
    RUNNING,
    quit(null, 'SIGSEGV'),
    ended({ kind: 'qemu-died', exitCode: null, signal: 'SIGSEGV', message: '' }),
  ],
  [
    'QEMU is asked to end',
    RUNNING,
    quit(0, null, 'qemu-system-x86_64: terminating on signal 15 from pid 1 (kill)'),
    ended({
      kind: 'qemu-died',
      exitCode: 0,
      signal: 'SIGTERM',
      message: 'qemu-system-x86_64: terminating on signal 15 from pid 1 (kill)',
    }),
  ],
  ['finished', RUNNING, { type: 'finished' }, ended({ kind: 'finished' })],
  ['finished after a panic message', PANICKED, { type: 'finished' }, ended({ kind: 'finished' })],
  [
    'interrupted',
    RESTING,
    { type: 'end', ending: { kind: 'interrupted' } },
    ended({ kind: 'interrupted' }),
  ],
  ['over: it stays so', OVER, { type: 'end', ending: { kind: 'interrupted' } }, same(OVER)],
  ['over: a heartbeat', OVER, { type: 'heartbeat' }, same(OVER)],
  ['over: QEMU ends', OVER, quit(null, 'SIGKILL'), same(OVER)],
];

for (const [name, before, event, [state, actions]] of TABLE) {
  t.test(name, async (t) => {
    t.strictSame(transition(before, event, LIMITS), { state, actions });
  });
}

t.test('times only the hang if there is no notice', async (t) => {
  const { notice: _, ...limits } = LIMITS;
  const { actions } = transition(RUNNING, { type: 'heartbeat' }, limits);
  t.strictSame(actions, [{ do: 'start-timer', timer: 'silence', seconds: 60 }]);
});

/** A generator of numbers below 1, determined by a seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ANY: LifeEvent[] = [
  { type: 'ready' },
  { type: 'run', seconds: 9 },
  { type: 'rest' },
  { type: 'step', name: 'mkfs' },
  { type: 'heartbeat' },
  { type: 'panic', message: 'p' },
  { type: 'oops' },
];
const LAST: LifeEvent[] = [
  { type: 'finished' },
  quit(0),
  quit(null, 'SIGABRT'),
  { type: 'end', ending: { kind: 'interrupted' } },
];

t.test('keeps its rules for any sequence of events', async (t) => {
  for (let seed = 1; seed <= 2000; seed += 1) {
    const next = numbers(seed);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T;
    const timers = new Map<string, number>();
    const history: string[] = [];
    let readies = 0;
    let burials = 0;
    let state: Life | undefined;
    const enter = ({ state: entered, actions }: { state: Life; actions: LifeAction[] }) => {
      for (const action of actions) {
        if (action.do === 'start-timer') timers.set(action.timer, action.seconds);
        if (action.do === 'stop-timer') timers.delete(action.timer);
        if (action.do === 'tell-ready') readies += 1;
        if (action.do !== 'bury') continue;
        burials += 1;
        timers.clear();
      }
      state = entered;
    };
    enter(born(LIMITS));
    for (let count = 0; count < 40; count += 1) {
      const due = [...timers].map(([timer, seconds]) => expired(timer as 'boot', seconds));
      const event = next() < 0.03 ? pick(LAST) : pick([...ANY, ...ANY, ...due]);
      if (event.type === 'expired') timers.delete(event.timer);
      history.push(event.type === 'expired' ? event.timer : event.type);
      const before: Life = state as unknown as Life;
      enter(transition(before, event, LIMITS));
      const now = state as unknown as Life;
      const problems = [
        before.phase === 'over' && now !== before && 'it lives on after its end',
        now.phase === 'over' && timers.size > 0 && 'a timer is left',
        now.phase === 'over' && burials !== 1 && 'not buried once',
        now.phase !== 'over' && burials > 0 && 'buried alive',
        now.phase !== 'over' &&
          (now.phase === 'starting') !== timers.has('boot') &&
          'the boot is timed in no other phase',
        now.phase !== 'over' &&
          (now.phase === 'running') !== timers.has('unit') &&
          'the unit is timed in no other phase',
        readies > 1 && 'ready twice',
        now.phase !== 'over' &&
          (now.phase === 'starting') !== (readies === 0) &&
          'who waits for it is told when it has started',
        now.phase === 'over' &&
          before.phase !== 'over' &&
          before.panic !== undefined &&
          ['hang', 'boot-timeout', 'unit-timeout', 'guest-shutdown'].includes(now.ending.kind) &&
          'a panic was forgotten',
      ].filter(Boolean);
      if (problems.length > 0) {
        t.fail(`seed ${seed}: ${problems.join(', ')} after ${history.join(' ')}`);
        return;
      }
    }
  }
  t.pass('2000 lives');
});
