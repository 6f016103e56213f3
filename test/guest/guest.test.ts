import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Ending } from '../../cli/guest/guest.js';
import { startGuest } from '../../cli/guest/guest.js';
import type { UnitRequest } from '../../cli/guest/protocol.js';
import {
  BOOTS,
  fakeGuest,
  LONG,
  lives,
  READY,
  type Step,
  type Watched,
} from '../util/fake-qemu.js';

const REQUEST: UnitRequest = { FS: 'ext2', TEST: 'generic/002', TIMEOUT: 60 };

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** Takes a guest through its life, and checks that nothing is left. */
async function live(
  t: Test,
  steps: Step[],
  more: Parameters<typeof fakeGuest>[1] & { seconds?: number; while?: (w: Watched) => void } = {},
): Promise<Watched & { ending: Ending }> {
  const before = timers();
  const watched = fakeGuest(steps, more);
  t.teardown(() => watched.guest.stop());
  more.while?.(watched);
  const booted = await watched.guest.ready;
  const ending = booted.ok ? await watched.guest.run(REQUEST, more.seconds ?? 300) : booted.ending;
  await watched.guest.stop();
  t.notOk(lives(watched.pid), 'QEMU is dead');
  await sleep(20);
  t.equal(timers(), before, 'no timer is left');
  return { ...watched, ending };
}

t.test('finished: everything before it is there', async (t) => {
  const { ending, console, events, findings } = await live(t, [
    { console: 'Linux version\n' },
    ...BOOTS,
    { event: { event: 'step', name: 'mkfs' } },
    { console: '[    1.000000] kernel BUG at fs/dax.c:1!\n' },
    { event: { event: 'finished' } },
  ]);
  t.strictSame(ending, { kind: 'finished' });
  t.equal(console(), 'Linux version\n[    1.000000] kernel BUG at fs/dax.c:1!\n');
  t.strictSame(
    events.map(({ event }) => event),
    ['ready', 'step', 'finished'],
  );
  // Its report was unfinished when the guest ended.
  t.match(findings, [{ kind: 'bug' }]);
});

t.test('finished, in pieces of one byte', async (t) => {
  const { ending, events } = await live(t, [
    { trickle: `${JSON.stringify(READY)}\n` },
    { request: true },
    { trickle: '{"event":"log","text":"Zürich → 🦀"}\n{"event":"finished"}\n' },
  ]);
  t.strictSame(ending, { kind: 'finished' });
  t.match(events[1], { event: 'log', text: 'Zürich → 🦀' });
});

t.test('receives files with any content', async (t) => {
  const { ending, files, events } = await live(t, [
    ...BOOTS,
    { file: { name: 'output', text: '{"event":"finished"}\n' } },
    { event: { event: 'log', text: 'between' } },
    { file: { name: 'output', text: 'more' } },
    { event: { event: 'file', name: 'cut-off', size: 100 } },
    { channel: 'half' },
    { exit: 0 },
  ]);
  t.match(ending, { kind: 'guest-shutdown' }, 'what is in a file is no event');
  t.strictSame(files, { output: '{"event":"finished"}\nmore', 'cut-off': 'half' });
  t.strictSame(
    events.filter(({ event }) => event !== 'file').map(({ event }) => event),
    ['ready', 'log'],
  );
});

t.test('boot-timeout', async (t) => {
  const { ending } = await live(t, [{ console: 'Decompressing Linux...\n' }], {
    limits: { boot: 0.5 },
  });
  t.strictSame(ending, { kind: 'boot-timeout', seconds: 0.5 });
});

t.test('panic', async (t) => {
  const panic = '[    2.000000] Kernel panic - not syncing: Fatal exception\n';
  const { ending } = await live(t, [...BOOTS, { console: panic }, { exit: 0 }]);
  t.match(ending, { kind: 'panic', message: /Fatal exception/ });

  const atBoot = await live(t, [{ console: panic }, { exit: 0 }]);
  t.match(atBoot.ending, { kind: 'panic', message: /Fatal exception/ });

  const incomplete = await live(t, [...BOOTS, { console: panic.trimEnd() }, { exit: 0 }]);
  t.match(
    incomplete.ending,
    { kind: 'panic' },
    'finds a panic in the last bytes, without an end of line',
  );
});

t.test('panic: also if the machine stays on, instead of a hang or slow boot', async (t) => {
  const panic = '[    2.000000] Kernel panic - not syncing: stuck\n';
  const steps: Step[] = [{ event: READY }, { request: true }, { console: panic }, { beat: 60_000 }];
  const running = await live(t, steps, { limits: { silence: 0.3 } });
  t.match(running.ending, { kind: 'panic', message: /stuck/ });
  const booting = await live(t, [{ console: panic }], { limits: { boot: 5 } });
  t.match(booting.ending, { kind: 'panic', message: /stuck/ });
});

t.test('hang: the heartbeat stops', async (t) => {
  // The first heartbeat starts the clock, so nothing may be left to do after it.
  const steps: Step[] = [
    { event: READY },
    { request: true },
    { event: { event: 'step', name: 'umount' } },
    { beat: 60_000 },
  ];
  const { ending } = await live(t, steps, { limits: { silence: 0.3 } });
  t.strictSame(ending, { kind: 'hang', seconds: 0.3, step: 'umount' });
});

t.test('reports silence before it is a hang, and its end', async (t) => {
  const told: (number | undefined)[] = [];
  // The heartbeat resumes only after the host has noticed its absence.
  const { ending } = await live(
    t,
    [
      { event: READY },
      { request: true },
      { beat: 60_000 },
      { go: true },
      { beat: 60_000 },
      { go: true },
      { event: { event: 'finished' } },
    ],
    {
      limits: { notice: 0.3, silence: 300 },
      onSilent: (seconds, guest) => {
        told.push(seconds);
        guest.goOn(300);
      },
    },
  );
  t.strictSame(ending, { kind: 'finished' });
  t.strictSame(told.slice(0, 2), [0.3, undefined]);
});

t.test('hang: takes too long after an oops', async (t) => {
  const oops = [
    '[    3.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000',
    '[    3.000001] RIP: 0010:ext2_get_block+0x1c/0x50 [ext2]',
    '[    3.000002] ---[ end trace 0000000000000000 ]---\n',
  ].join('\n');
  const { ending, findings } = await live(t, [...BOOTS, { console: oops }], {
    limits: { afterOops: 0.2 },
  });
  t.match(ending, { kind: 'hang', seconds: 0.2 });
  t.match(findings, [{ kind: 'oops', function: 'ext2_get_block' }]);

  const cut = await live(t, [
    ...BOOTS,
    { console: oops.split('\n').slice(0, 2).join('\n') },
    { event: { event: 'finished' } },
  ]);
  t.match(cut.findings, [{ kind: 'oops' }], 'found at the end, with no timer for it');
});

t.test('unit-timeout: alive, but too slow', async (t) => {
  const steps: Step[] = [...BOOTS, { event: { event: 'step', name: 'test' } }];
  const { ending } = await live(t, steps, { seconds: 0.4, limits: { silence: 5 } });
  t.strictSame(ending, { kind: 'unit-timeout', seconds: 0.4, step: 'test' });
});

t.test('guest-shutdown', async (t) => {
  const steps: Step[] = [...BOOTS, { event: { event: 'step', name: 'test' } }, { exit: 0 }];
  t.strictSame((await live(t, steps)).ending, { kind: 'guest-shutdown', step: 'test' });
  t.strictSame((await live(t, [{ exit: 0 }])).ending, { kind: 'guest-shutdown', step: 'boot' });
  // QEMU announces it before it ends, and must not be killed meanwhile.
  const announced = steps
    .with(-1, { shutdown: 'guest-shutdown' })
    .concat({ sleep: 300 }, { exit: 0 });
  t.strictSame((await live(t, announced)).ending, { kind: 'guest-shutdown', step: 'test' });
});

t.test('qemu-died', async (t) => {
  await t.test('qemu-died: with an exit code and its last output', async (t) => {
    const said = `${'noise\n'.repeat(5000)}qemu: could not load kernel\n`;
    const { ending } = await live(t, [{ stderr: said }, { exit: 1 }]);
    t.match(ending, { kind: 'qemu-died', exitCode: 1, signal: null });
    t.ok(ending.kind === 'qemu-died' && ending.message.endsWith('could not load kernel'));
    t.ok(ending.kind === 'qemu-died' && ending.message.length <= 8192, 'and no more than that');
  });
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const) {
    await t.test(`by ${signal}`, async (t) => {
      const { ending } = await live(t, [...BOOTS, { kill: signal }]);
      t.match(ending, { kind: 'qemu-died', signal });
    });
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    await t.test(`by ${signal} from outside, after which it exits with 0`, async (t) => {
      const { ending } = await live(t, BOOTS, {
        while: ({ guest, pid }) => void guest.ready.then(() => process.kill(pid, signal)),
      });
      t.match(ending, { kind: 'qemu-died', signal, message: /terminating on signal/ });
    });
  }
  await t.test('a guest cannot fake that on its console', async (t) => {
    const forged = 'qemu-system-x86_64: terminating on signal 15 from pid 1 (kill)\n';
    const { ending } = await live(t, [...BOOTS, { console: forged }, { exit: 0 }]);
    t.match(ending, { kind: 'guest-shutdown' });
  });
  await t.test('it was never there', async (t) => {
    const guest = startGuest(['/nonexistent/qemu'], LONG, {
      console() {},
      event() {},
      filePiece() {},
      finding() {},
    });
    const booted = await guest.ready;
    await guest.stop();
    t.match(booted, { ok: false, ending: { kind: 'qemu-died', exitCode: 127 } });
  });
});

t.test('protocol-violation', async (t) => {
  const garbage: [string, Step][] = [
    ['no JSON', { channel: 'hello\n' }],
    ['half of it', { channel: '{"event":"finished"\n' }],
    ['no object', { channel: '42\n' }],
    ['an unknown event', { event: { event: 'pass' } }],
    ['a known one of another shape', { event: { event: 'step', name: 3 } }],
    ['a line without end', { flood: { bytes: 2 << 20 } }],
  ];
  for (const [name, step] of garbage) {
    await t.test(name, async (t) => {
      const { ending, events } = await live(t, [...BOOTS, step, { event: { event: 'finished' } }]);
      t.match(ending, { kind: 'protocol-violation' });
      t.strictSame(
        events.map(({ event }) => event),
        ['ready'],
        'nothing after it counts',
      );
    });
  }
});

t.test('survives a flooded console', async (t) => {
  let bytes = 0;
  const { ending } = await live(
    t,
    [
      ...BOOTS,
      { flood: { bytes: 8 << 20, console: true, with: 'WARNING: ' } },
      { event: { event: 'finished' } },
    ],
    {
      onConsole: (chunk) => {
        bytes += chunk.length;
      },
    },
  );
  t.match(ending, { kind: 'finished' });
  t.equal(bytes, 8 << 20);
});

t.test('storage: the observer cannot write', async (t) => {
  const full = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const event = await live(t, [...BOOTS, { event: { event: 'finished' } }], {
    onEvent: ({ event }) => event === 'finished' && full(),
  });
  t.match(event.ending, { kind: 'storage', message: /no space left/ }, 'not finished');
  const text = await live(t, [{ console: 'x\n' }], { onConsole: full });
  t.match(text.ending, { kind: 'storage' });
});

t.test('interrupted', async (t) => {
  await t.test('before it started', async (t) => {
    const { ending } = await live(t, BOOTS, { signal: AbortSignal.abort() });
    t.strictSame(ending, { kind: 'interrupted' });
  });
  await t.test('in its boot', async (t) => {
    const abort = new AbortController();
    const { ending } = await live(t, [{ console: 'x\n' }], {
      signal: abort.signal,
      onConsole: () => abort.abort(),
    });
    t.strictSame(ending, { kind: 'interrupted' });
  });
  await t.test('in the unit, deaf to polite signals', async (t) => {
    const abort = new AbortController();
    const { ending } = await live(
      t,
      [{ deaf: true }, ...BOOTS, { event: { event: 'step', name: 'test' } }],
      { signal: abort.signal, onEvent: ({ event }) => event === 'step' && abort.abort() },
    );
    t.strictSame(ending, { kind: 'interrupted' });
  });
  await t.test('stopped while ready', async (t) => {
    const { guest, pid } = fakeGuest(BOOTS);
    t.match(await guest.ready, { ok: true, ready: { release: '6.1.0-test' } });
    await Promise.all([guest.stop(), guest.stop()]);
    t.notOk(lives(pid));
  });
});

t.test('qemu-died: between ready and its unit', async (t) => {
  const before = timers();
  const { guest, pid } = fakeGuest([{ event: READY }, { exit: 3 }]);
  await guest.ready;
  while (lives(pid)) await sleep(10);
  await sleep(50);
  t.match(await guest.run(REQUEST, 300), { kind: 'qemu-died', exitCode: 3 });
  t.equal(timers(), before, 'no timer is left');
});
