import { open, readFile, rm, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { z } from '../schema.js';
import { readReference, updateReference } from '../store/reference.js';
import { cacheKey, discard, lookUpOrMake, type Store, storageFailure } from '../store/store.js';
import { type GuestLimits, startGuest } from './guest.js';
import { deviceSizes, type MachineFiles, type MachineShape, qemuArgv } from './machine.js';
import { saveMachine } from './migration.js';
import { type ReadyEvent, ReadyEventSchema } from './protocol.js';
import { describeFiles, readDescription } from './saved-files.js';

/**
 * A guest that was booted to ready once, to be cloned instead of booted again. Its memory is a file
 * that clones map privately: they share what they do not write, and their writes never reach the
 * file. The rest of its state, some 300 KB, is what QEMU's migration writes when memory is declared
 * shared (`x-ignore-shared`). Kata Containers' templates work the same way.
 *
 *     memory          the guest's memory
 *     device-0, -1    nvdimm: the devices, prepared and empty
 *     state           QEMU's
 *     checkpoint.json written last: what the guest reported, and the state of the files
 */
export interface Checkpoint {
  key: string;
  memory: string;
  devices: string[];
  state: string;
  ready: ReadyEvent;
}

export interface CheckpointContext {
  store: Store;
  progress: Progress;
  limits: GuestLimits;
  signal?: AbortSignal | undefined;
}

const KIND = 'checkpoint';

const DESCRIPTION = 'checkpoint.json';

const About = z.object({ ready: ReadyEventSchema });

/** The checkpoint of this machine, made if it does not exist or was modified. */
export async function checkpoint(
  shape: MachineShape,
  files: Omit<MachineFiles, 'devices'>,
  context: CheckpointContext,
): Promise<Outcome<Checkpoint>> {
  const key = await checkpointKey(shape, files);
  const failed = await recentFailure(context.store, key);
  if (failed !== undefined) {
    return failure(
      'tool-failed',
      `QEMU did not restore the guest's checkpoint (${failed}), so none is made for a day`,
      'Run with --no-checkpoint, or choose another QEMU with --qemu',
    );
  }
  for (let attempt = 0; ; attempt += 1) {
    const entry = await lookUpOrMake(context.store, KIND, key, (directory) =>
      make(directory, shape, files, context),
    );
    if (!entry.ok) return entry;
    const found = await read(entry.value, shape, key);
    if (found) return success(found);
    if (attempt > 0) {
      return failure(
        'storage',
        `The checkpoint in ${entry.value} changed after it was written`,
        'Run with --no-checkpoint, and check the disk',
      );
    }
    await discard(context.store, KIND, key);
  }
}

/**
 * For one that QEMU did not restore. A new one would most likely fail too, and cost a boot each time. So none is
 * made for a day, unless the machine, QEMU, the kernel or the image changes.
 *
 * @param message QEMU's own
 */
export async function discardCheckpoint(
  store: Store,
  { key }: Pick<Checkpoint, 'key'>,
  message: string,
): Promise<void> {
  await discard(store, KIND, key);
  await rememberFailure(store, key, message);
}

/** Keeps a checkpoint from being made for a day. One that is not remembered is made again. */
export async function rememberFailure(store: Store, key: string, message: string): Promise<void> {
  const remember: z.infer<typeof Failed> = { message, at: Date.now() };
  await updateReference(store, failureName(key), () => remember);
}

const Failed = z.object({ message: z.string(), at: z.number() });

const DAY = 24 * 60 * 60 * 1000;

const failureName = (key: string) => `checkpoint-failed-${key}`;

export async function recentFailure(store: Store, key: string): Promise<string | undefined> {
  const read = Failed.safeParse(await readReference(store, failureName(key)));
  return read.success && Date.now() - read.data.at < DAY ? read.data.message : undefined;
}

/** The key of this machine's checkpoint, whether it exists or not. */
export async function checkpointKey(
  shape: MachineShape,
  files: Omit<MachineFiles, 'devices'>,
): Promise<string> {
  return cacheKey(await identity(shape, files));
}

/** Everything that determines the state of a booted guest. */
async function identity(
  shape: MachineShape,
  files: Omit<MachineFiles, 'devices'>,
): Promise<Record<string, string>> {
  const { qemu, kernel, initramfs } = files;
  const stamp = async (path: string) => {
    const { size, mtimeMs } = await stat(path);
    return `${path} ${size} ${mtimeMs}`;
  };
  return {
    // Raise it if the same files prepare the guest differently.
    layout: '1',
    shape: JSON.stringify(shape, Object.keys(shape).sort()),
    command: qemuArgv(shape, { ...files, devices: [] }).join(' '),
    qemu: await stamp(qemu),
    kernel: await stamp(kernel),
    initramfs: await stamp(initramfs),
    processor: await processor(),
  };
}

let described: Promise<string> | undefined;

/** Read once: it does not change while we run. */
function processor(): Promise<string> {
  described ??= describeProcessor();
  return described;
}

async function describeProcessor(): Promise<string> {
  const flags = /^flags\s*:(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
  return `${cpus()[0]?.model} ${flags?.[1] ?? ''}`;
}

function names(shape: MachineShape): { memory: string; state: string; devices: string[] } {
  const devices =
    shape.pmem === 'nvdimm' ? deviceSizes(shape).map((_, index) => `device-${index}`) : [];
  return { memory: 'memory', state: 'state', devices };
}

/** undefined if it was modified. */
async function read(
  directory: string,
  shape: MachineShape,
  key: string,
): Promise<Checkpoint | undefined> {
  const about = await readDescription(directory, DESCRIPTION, About);
  if (!about) return undefined;
  const { memory, state, devices } = names(shape);
  return {
    key,
    ready: about.ready,
    memory: join(directory, memory),
    state: join(directory, state),
    devices: devices.map((name) => join(directory, name)),
  };
}

async function make(
  directory: string,
  shape: MachineShape,
  files: Omit<MachineFiles, 'devices'>,
  { progress, limits, signal }: CheckpointContext,
): Promise<Outcome<void>> {
  progress({ type: 'stage', text: 'booting a guest once, to clone it from then on' });
  const { memory, state, devices } = names(shape);
  // The disks of `none` are still empty: any empty files of their size will do, here and later.
  const sizes = deviceSizes(shape);
  const disks = shape.pmem === 'none' ? sizes.map((_, index) => `disk-${index}`) : devices;
  try {
    for (const [index, name] of disks.entries()) {
      const file = await open(join(directory, name), 'w');
      await file.truncate(sizes[index]);
      await file.close();
    }
    const argv = qemuArgv(
      shape,
      { ...files, devices: disks.map((name) => join(directory, name)) },
      { file: join(directory, memory), mode: 'save' },
    );
    const guest = startGuest(argv, limits, SILENT, { signal, terminal: shape.terminal });
    try {
      const booted = await guest.ready;
      if (!booted.ok) return notMade(`the guest did not boot (${booted.ending.kind})`, signal);
      if (booted.ready.deviceProblem) return notMade(booted.ready.deviceProblem, signal);
      const saved = await saveMachine(guest.monitor, join(directory, state), shape);
      if (!saved.ok) return notMade(saved.error, signal);
      await guest.stop();
      for (const name of shape.pmem === 'none' ? disks : []) await rm(join(directory, name));
      const about: z.infer<typeof About> = { ready: booted.ready };
      await describeFiles(directory, [memory, state, ...devices], DESCRIPTION, about);
      return success(undefined);
    } finally {
      await guest.stop();
    }
  } catch (error) {
    return storageFailure(directory, error);
  }
}

const SILENT = { console() {}, event() {}, filePiece() {}, finding() {} };

function notMade(reason: string, signal: AbortSignal | undefined): Outcome<void> {
  return signal?.aborted
    ? failure('interrupted', 'Interrupted', 'Start it again')
    : failure(
        'tool-failed',
        `No checkpoint could be made of the guest: ${reason}`,
        'Run with --no-checkpoint',
      );
}
