import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Checkpoint, checkpoint } from '../../cli/guest/checkpoint.js';
import type { MountedGuest } from '../../cli/guest/mounted-guest.js';
import { type MountedContext, MountedGuests } from '../../cli/launch/mounted-guests.js';
import type { Prepared } from '../../cli/launch/prepared.js';
import type { Outcome } from '../../cli/outcome.js';
import type { Unit } from '../../cli/plan/unit.js';
import { keepNewest } from '../../cli/store/clean.js';
import { fakeBoot, MIB, SHAPE } from '../guest/fake-boot.js';
import { FAKE_QEMU, LONG, PREPARED, readLog } from '../util/fake-qemu.js';
import { unitSteps } from '../util/units.js';

/* Which units share a guest with a mounted file system, and when one is made. */

const UNIT = {
  ...{ fs: 'ext4', test: 'generic/002', suite: { name: 'builtin', version: '1' } },
  ...{ kernelSpec: 'debian:6.1', variant: 'base', attempt: 1, seed: 1, shape: SHAPE },
  ...{ mkfsOptions: '', mountOptions: 'dax=always', timeout: 10, control: false },
} as unknown as Unit;

const attempts = (count: number): Unit[] =>
  Array.from({ length: count }, (_, index) => ({ ...UNIT, attempt: index + 1 }));

function rig(t: Test, steps = unitSteps()) {
  const { directory, log, files, store } = fakeBoot(t, steps);
  const said: string[] = [];
  const booted = (): Promise<Outcome<Checkpoint>> =>
    checkpoint(SHAPE, files, { store, progress() {}, limits: LONG });
  const context: MountedContext = {
    ...{ store, shape: SHAPE, files, limits: LONG, booted, signal: undefined },
    progress: (event) => 'text' in event && said.push(event.text),
  };
  const mounts = () => readLog(log).filter(({ request }) => request?.['CLONES'] === '1').length;
  return { context, mounts, said, store, directory };
}

t.test('is made for units that share it, and only then', async (t) => {
  const { context, mounts, said } = rig(t);
  const guests = new MountedGuests(attempts(3));
  const first = await guests.find(UNIT, PREPARED, context);
  t.ok(first);
  t.same(await guests.find({ ...UNIT, test: 'dax/acl' }, PREPARED, context), first);
  t.equal(mounts(), 1);
  t.match(said, [/mounting ext4 once/]);
});

t.test('a single unit has it made the second time in a day', async (t) => {
  const { context, mounts } = rig(t);
  t.notOk(await new MountedGuests([UNIT]).find(UNIT, PREPARED, context));
  t.equal(mounts(), 0);
  t.ok(await new MountedGuests([UNIT]).find(UNIT, PREPARED, context));
  t.equal(mounts(), 1);
  t.ok(await new MountedGuests([UNIT]).find(UNIT, PREPARED, context), 'and finds it');
  t.equal(mounts(), 1);
});

t.test('two units are no reason, nor are the last ones of a run', async (t) => {
  const { context, mounts } = rig(t);
  const guests = new MountedGuests(attempts(2));
  t.notOk(await guests.find(UNIT, PREPARED, context));
  t.equal(mounts(), 0);
});

t.test('units beside the one that makes it do not wait', async (t) => {
  const { context, mounts } = rig(t);
  const guests = new MountedGuests(attempts(4));
  let second: MountedGuest | undefined;
  // The first is between its decision to make one and the boot when the second asks.
  const first = await guests.find(UNIT, PREPARED, {
    ...context,
    async booted() {
      second = await guests.find(UNIT, PREPARED, context);
      t.equal(mounts(), 0);
      return context.booted();
    },
  });
  t.ok(first);
  t.notOk(second);
  t.equal(mounts(), 1);
  t.ok(await guests.find(UNIT, PREPARED, context));
});

t.test('everything that determines the mount makes another one', async (t) => {
  const { context, mounts, directory } = rig(t);
  const find = (unit: Unit, prepared: Prepared, how: MountedContext) =>
    new MountedGuests([unit, unit, unit]).find(unit, prepared, how);
  const seen = new Set([(await find(UNIT, PREPARED, context))?.key]);
  const sent = { sha256: 'aa', buildId: '', origin: 'kernel', dependencies: [], file: '/m' };
  const otherQemu = join(directory, 'qemu');
  writeFileSync(otherQemu, `#!/bin/sh\nexec ${FAKE_QEMU} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(directory, 'other'), 'another image');
  const module = (more: object) =>
    ({ ...PREPARED, module: { ...sent, ...more } }) as unknown as Prepared;
  const changes: [string, Unit, Prepared, MountedContext][] = [
    ['mkfs', { ...UNIT, mkfsOptions: '-O quota' }, PREPARED, context],
    ['mount', { ...UNIT, mountOptions: 'dax=always,noatime' }, PREPARED, context],
    ['CPUs', UNIT, PREPARED, { ...context, shape: { ...SHAPE, cpus: 2 } }],
    ['devices', UNIT, PREPARED, { ...context, shape: { ...SHAPE, deviceSize: 128 * MIB } }],
    ['QEMU', UNIT, PREPARED, { ...context, files: { ...context.files, qemu: otherQemu } }],
    ...(['kernel', 'initramfs'] as const).map((file): [string, Unit, Prepared, MountedContext] => [
      ...([file, UNIT, PREPARED] as const),
      { ...context, files: { ...context.files, [file]: join(directory, 'other') } },
    ]),
  ];
  for (const [what, unit, prepared, how] of changes) {
    const found = await find(unit, prepared, how);
    t.ok(found, what);
    t.notOk(seen.has(found?.key), `another ${what}`);
    seen.add(found?.key);
  }
  const before = mounts();
  for (const more of [{}, { sha256: 'bb' }, { buildId: 'cc' }, { dependencies: ['jbd2'] }]) {
    // The fake loads no module, so none is made of these.
    t.notOk(await find(UNIT, module(more), context), JSON.stringify(more));
  }
  t.equal(mounts(), before + 4, 'each was tried');
});

t.test('a guest that does not prove DAX makes none, and the run says so once', async (t) => {
  const { context, mounts, said } = rig(t, unitSteps({ proof: { options: 'rw,relatime' } }));
  const guests = new MountedGuests(attempts(5));
  t.notOk(await guests.find(UNIT, PREPARED, context));
  t.notOk(await guests.find(UNIT, PREPARED, context));
  t.notOk(await new MountedGuests(attempts(5)).find(UNIT, PREPARED, context), 'nor later');
  t.equal(mounts(), 1);
  t.match(said, [/once/, /DAX is not among the mount options.*; each unit mounts for itself$/]);
});

t.test('the cache keeps the last used ones', async (t) => {
  const root = t.testdir({});
  for (const [age, key] of ['new', 'older', 'oldest', 'newer'].entries()) {
    const place = join(root, 'mounted-guest', key);
    mkdirSync(place, { recursive: true });
    const seconds = { new: 40, newer: 30, older: 20, oldest: 10 }[key] ?? age;
    utimesSync(place, seconds, seconds);
  }
  await keepNewest({ root }, 'mounted-guest', 2);
  const left = readdirSync(join(root, 'mounted-guest')).filter((name) => !name.startsWith('.'));
  t.same(left.sort(), ['new', 'newer']);
  await keepNewest({ root }, 'none', 2);
});
