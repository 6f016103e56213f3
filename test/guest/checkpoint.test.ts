import {
  closeSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Checkpoint,
  type CheckpointContext,
  checkpoint,
  discardCheckpoint,
} from '../../cli/guest/checkpoint.js';
import { startGuest } from '../../cli/guest/guest.js';
import { INHERITED_FD, plugCommands, qemuArgv } from '../../cli/guest/machine.js';
import { LONG, READY, readLog } from '../util/fake-qemu.js';
import { fakeBoot, MIB, SHAPE } from './fake-boot.js';

/** A separate cache, and a QEMU that boots to ready and stays there. */
function rig(t: Test, steps: object[] = [{ beat: 50 }, { event: READY }]) {
  const { directory, files, store, starts } = fakeBoot(t, steps);
  const context: CheckpointContext = {
    store,
    progress: () => {},
    limits: LONG,
  };
  return { files, context, starts, directory };
}

t.test('is made once, then reused', async (t) => {
  const { files, context, starts } = rig(t);
  const first = await checkpoint(SHAPE, files, context);
  const second = await checkpoint(SHAPE, files, context);
  t.ok(first.ok && second.ok);
  t.same(first, second);
  t.match(first, { ok: true, value: { ready: READY, devices: { length: 0 } } });
  t.equal(starts(), 1, 'one boot');

  const other = await checkpoint({ ...SHAPE, deviceSize: 128 * MIB }, files, context);
  t.ok(other.ok);
  t.equal(starts(), 2, 'makes another one for another machine');
});

t.test('is made once for several callers at a time', async (t) => {
  const { files, context, starts } = rig(t);
  const made = await Promise.all([1, 2, 3].map(() => checkpoint(SHAPE, files, context)));
  t.ok(made.every(({ ok }) => ok));
  t.equal(starts(), 1);
});

t.test('is made again if it was modified', async (t) => {
  const spoil: Record<string, (directory: string) => void> = {
    'cut off': (directory) => truncateSync(join(directory, 'state'), 3),
    written: (directory) => {
      const { size } = statSync(join(directory, 'memory'));
      writeFileSync(join(directory, 'memory'), Buffer.alloc(size));
      utimesSync(join(directory, 'memory'), 1, 1);
    },
    'with a broken description': (directory) => {
      writeFileSync(join(directory, 'checkpoint.json'), '{"ready":');
    },
  };
  for (const [name, how] of Object.entries(spoil)) {
    await t.test(name, async (t) => {
      const { files, context, starts, directory } = rig(t);
      const made = await checkpoint(SHAPE, files, context);
      t.ok(made.ok);
      if (made.ok) how(join(directory, 'cache/checkpoint', made.value.key));
      const again = await checkpoint(SHAPE, files, context);
      t.ok(again.ok);
      t.equal(starts(), 2);
    });
  }
});

t.test('makes none of a guest that does not get ready, and leaves nothing', async (t) => {
  const problem = { ...READY, deviceProblem: 'no pmem' };
  for (const steps of [[{ exit: 1 }], [{ event: problem }], [{ event: READY }, { exit: 1 }]]) {
    const { files, context, directory } = rig(t, steps);
    const made = await checkpoint(SHAPE, files, { ...context, limits: { ...LONG, boot: 20 } });
    t.match(made, { ok: false, failure: { remedy: /--no-checkpoint/ } }, JSON.stringify(steps));
    const left = readdirSync(join(directory, 'cache/checkpoint'));
    t.same(
      left.filter((name) => !name.endsWith('.lock')),
      [],
    );
  }
});

t.test('gives a clone its state, so it is ready at once', async (t) => {
  const { files, context, directory } = rig(t);
  const made = await checkpoint(SHAPE, files, context);
  if (!made.ok) throw new Error(made.failure.message);
  // What the guest reported before it was saved is not repeated.
  writeFileSync(join(directory, 'script'), JSON.stringify([{ request: true }]));
  const { memory, state } = made.value;
  const argv = qemuArgv(SHAPE, { ...files, devices: [] }, { file: memory, mode: 'resume' });
  t.match(argv.join(' '), /share=off/);
  t.notMatch(argv.join(' '), /share=on/, 'nothing that a clone writes is kept');
  const plug = plugCommands(SHAPE, ['/dev/fd/8', '/dev/fd/9']);
  for (const [file, ending, plugged] of [
    [state, 'none', []],
    [state, 'none', plug],
    [state, 'restore-failed', [['device_add', { driver: 'virtio-pmem-pci', bus: 'none' }]]],
    [files.kernel, 'restore-failed', []],
  ] as const) {
    const descriptor = openSync(file, 'r');
    const guest = startGuest(
      argv,
      LONG,
      { console() {}, event() {}, filePiece() {}, finding() {} },
      {
        inherit: [descriptor],
        resumption: { descriptor: INHERITED_FD, ready: made.value.ready, plug: plugged },
      },
    );
    const ready = await guest.ready;
    t.equal(ready.ok ? 'none' : ready.ending.kind, ending);
    await guest.stop();
    closeSync(descriptor);
  }
  await discardCheckpoint(context.store, made.value, 'no such bus');
  t.throws(() => statSync(memory), 'discarded');
});

/** How a clone of this state gets on. */
async function resume(
  files: { qemu: string; kernel: string; initramfs: string },
  from: Checkpoint,
) {
  const argv = qemuArgv(SHAPE, { ...files, devices: [] }, { file: from.memory, mode: 'resume' });
  const descriptor = openSync(from.state, 'r');
  const observer = { console() {}, event() {}, filePiece() {}, finding() {} };
  const resumption = { descriptor: INHERITED_FD, ready: from.ready, plug: [] };
  const guest = startGuest(argv, LONG, observer, { inherit: [descriptor], resumption });
  const ready = await guest.ready;
  await guest.stop();
  closeSync(descriptor);
  return ready.ok ? undefined : ready.ending;
}

t.test('a state is read the way that this version of QEMU can', async (t) => {
  for (const [major, uri] of [
    ['7', 'fd:8'],
    ['10', 'file:/dev/fd/8'],
    ['11', 'file:/dev/fd/8'],
  ] as const) {
    const { files, context, directory } = rig(t);
    process.env['FAKE_QEMU_MAJOR'] = major;
    t.teardown(() => {
      delete process.env['FAKE_QEMU_MAJOR'];
    });
    const made = await checkpoint(SHAPE, files, context);
    if (!made.ok) throw new Error(made.failure.message);
    t.equal(await resume(files, made.value), undefined, `QEMU ${major} restores it`);
    t.match(
      readLog(join(directory, 'log')).flatMap((line) => ('uri' in line ? [line.uri] : [])),
      [uri],
    );
  }
});

t.test('what QEMU printed before it ended is why it did not restore', async (t) => {
  const { files, context } = rig(t);
  const made = await checkpoint(SHAPE, files, context);
  if (!made.ok) throw new Error(made.failure.message);
  writeFileSync(made.value.state, 'dies of this\n');
  t.match(await resume(files, made.value), {
    kind: /^(restore-failed|qemu-died)$/,
    message: /Not a migration stream/,
  });
});

t.test('one that was not restored is not made again at once', async (t) => {
  const { files, context, starts, directory } = rig(t);
  const made = await checkpoint(SHAPE, files, context);
  if (!made.ok) throw new Error(made.failure.message);
  await discardCheckpoint(context.store, made.value, 'Use file: instead.');
  const again = await checkpoint(SHAPE, files, context);
  t.match(again, { ok: false, failure: { message: /not restore .*Use file: instead\./ } });
  t.equal(starts(), 1, 'no guest was booted for it');

  const other = await checkpoint({ ...SHAPE, memory: 2048 * MIB }, files, context);
  t.ok(other.ok, 'another machine gets one');

  const reference = join(directory, 'cache/references', `checkpoint-failed-${made.value.key}.json`);
  const yesterday = Date.now() - 25 * 3600 * 1000;
  writeFileSync(reference, JSON.stringify({ message: 'old', at: yesterday }));
  t.ok((await checkpoint(SHAPE, files, context)).ok, 'it is tried again a day later');
});
