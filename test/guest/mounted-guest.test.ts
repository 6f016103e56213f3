import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkpoint, recentFailure } from '../../cli/guest/checkpoint.js';
import {
  findMountedGuest,
  type MountedSource,
  makeMountedGuest,
} from '../../cli/guest/mounted-guest.js';
import { LONG, READY, readLog, type Step } from '../util/fake-qemu.js';
import { unitSteps } from '../util/units.js';
import { fakeBoot, SHAPE } from './fake-boot.js';

/* The second checkpoint: what is kept of it, and when it is not used. */

const KEY = 'a'.repeat(32);

const MODULE: Step = { event: { event: 'module', name: 'ext4', sha256: '', origin: 'kernel' } };
/** A unit's steps, with others before the file system is made. */
const withSteps = (...more: Step[]): Step[] =>
  unitSteps().flatMap((step) => (step.request ? [step, ...more] : [step]));

/** A booted guest, and where one with a mounted file system comes from. */
async function rig(t: Test, steps: Step[] = withSteps(MODULE)) {
  const { log, files, store, starts } = fakeBoot(t, steps);
  const booted = await checkpoint(SHAPE, files, { store, progress() {}, limits: LONG });
  if (!booted.ok) throw new Error(booted.failure.message);
  const source: MountedSource = {
    ...{ from: booted.value, shape: SHAPE, files, limits: LONG, seconds: 100 },
    request: { FS: 'ext4', TEST: 'none', TIMEOUT: 100, CLONES: 1 },
    module: undefined,
    problem: (_, findings) => findings[0]?.message,
    signal: undefined,
  };
  const place = join(store.root, 'mounted-guest', KEY);
  return { store, source, starts, place, booted: booted.value, log };
}

t.test('is a copy of the booted guest that was asked to mount', async (t) => {
  const { store, source, place, booted, log } = await rig(t);
  const made = await makeMountedGuest(store, KEY, source);
  t.match(made, { ok: true, value: { key: KEY, ready: READY, modules: [MODULE.event] } });
  t.same(made.ok && made.value, await findMountedGuest(store, KEY));
  t.same(readdirSync(place).sort(), ['boot-log', 'memory', 'mounted.json', 'state']);
  t.equal(readFileSync(booted.state, 'utf8'), 'the state of a fake\n', 'the first stays');
  const [, mounting] = readLog(log).filter(({ argv }) => argv !== undefined);
  const memory = mounting?.argv?.find((word) => word.includes('id=memory,'));
  t.match(memory, /share=on,mem-path=.*\/mounted-guest\/.*making\/memory$/, 'not the first one');
  t.match(
    readLog(log).find(({ request }) => request !== undefined),
    { request: { FS: 'ext4', CLONES: '1' } },
  );
});

t.test('is not used if it was modified, or comes from the future', async (t) => {
  const spoil: Record<string, (place: string) => void> = {
    'a state that was cut off': (place) => truncateSync(join(place, 'state'), 3),
    'memory that was written': (place) => utimesSync(join(place, 'memory'), 1, 1),
    'a log that was cut off': (place) => writeFileSync(join(place, 'boot-log'), 'something else'),
    'a broken description': (place) => writeFileSync(join(place, 'mounted.json'), '{"ready":'),
    'a clock that went back': (place) => {
      const file = join(place, 'mounted.json');
      const said = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...said, saved: Date.now() + 60_000 }));
    },
  };
  for (const [name, how] of Object.entries(spoil)) {
    await t.test(name, async (t) => {
      const { store, source, place } = await rig(t);
      t.ok((await makeMountedGuest(store, KEY, source)).ok);
      t.ok(await findMountedGuest(store, KEY));
      how(place);
      t.equal(await findMountedGuest(store, KEY), undefined);
      t.throws(() => statSync(place), 'it is gone');
      t.ok((await makeMountedGuest(store, KEY, source)).ok, 'and can be made again');
    });
  }
});

t.test('what a killed maker left is not used', async (t) => {
  const { store, source, place } = await rig(t);
  const left = join(store.root, 'mounted-guest', `.${KEY}.making`);
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, 'memory'), 'half of it');
  t.equal(await findMountedGuest(store, KEY), undefined);
  t.ok((await makeMountedGuest(store, KEY, source)).ok);
  t.equal(readFileSync(join(place, 'memory'), 'utf8'), 'the memory of a fake');
});

t.test('is not made of a guest with a problem, and not tried again at once', async (t) => {
  const splat = {
    console:
      '[    3.100000] WARNING: CPU: 0 PID: 9 at fs/dax.c:1 dax+0x1/0x2\n[    3.100001] ---[ end trace 0 ]---\n',
  };
  const gaveUp = { event: 'gave-up', step: 'mkfs', message: 'no room', kernelLog: '' };
  for (const [steps, reason] of [
    [withSteps(MODULE, splat), /fs\/dax\.c:1/],
    [withSteps({ event: gaveUp }, { event: { event: 'finished' } }), /ended early \(finished\)/],
    [withSteps({ exit: 1 }), /ended early \(qemu-died\)/],
    [withSteps({ channel: 'nonsense\n' }), /ended early \(protocol-violation\)/],
  ] as const) {
    const { store, source, place } = await rig(t, [...steps]);
    const made = await makeMountedGuest(store, KEY, source);
    t.match(made, { ok: false, failure: { kind: 'tool-failed', message: reason } });
    t.throws(() => statSync(place));
    t.same(
      readdirSync(join(store.root, 'mounted-guest')).filter((name) => !name.endsWith('.lock')),
      [],
      'nothing is left',
    );
    t.match(await recentFailure(store, KEY), reason);
  }
});

t.test('memory that cannot be copied is no reason against the next one', async (t) => {
  const { store, source, booted } = await rig(t);
  const from = { ...booted, memory: `${booted.memory}-that-is-not-there` };
  const made = await makeMountedGuest(store, KEY, { ...source, from });
  t.match(made, { ok: false, failure: { kind: 'storage', message: /No such file/ } });
  t.equal(await recentFailure(store, KEY), undefined);
  t.ok((await makeMountedGuest(store, KEY, source)).ok);
});

t.test('an interruption is no failure', async (t) => {
  const { store, source } = await rig(t);
  const made = await makeMountedGuest(store, KEY, { ...source, signal: AbortSignal.abort() });
  t.match(made, { ok: false, failure: { kind: 'interrupted' } });
  t.equal(await recentFailure(store, KEY), undefined);
});
