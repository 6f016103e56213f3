import { closeSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../findings/finding.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { z } from '../schema.js';
import { discard, lookUp, lookUpOrMake, type Store, storageFailure } from '../store/store.js';
import { type Checkpoint, rememberFailure } from './checkpoint.js';
import { type Guest, type GuestLimits, type GuestObserver, startGuest } from './guest.js';
import { INHERITED_FD, type MachineFiles, type MachineShape, qemuArgv } from './machine.js';
import { saveMachine } from './migration.js';
import {
  type GuestEvent,
  ModuleEventSchema,
  type ReadyEvent,
  ReadyEventSchema,
  type UnitRequest,
} from './protocol.js';
import { describeFiles, readDescription } from './saved-files.js';

/**
 * The second checkpoint: a clone of a booted guest that has loaded the module, made and mounted the
 * file system of TEST_DEV, and proven DAX once. Units with the same file system and options are
 * cloned from it. Its look at DAX counts for none of them: each clone looks again
 * (guest-scripts/lib/unit.sh, continue_in_clone).
 *
 *     memory        the guest's memory, with its memmap devices
 *     state         QEMU's
 *     boot-log      the kernel's log until the module was loaded
 *     mounted.json  written last: what the guest reported, and the state of the files
 */
export interface MountedGuest {
  key: string;
  memory: string;
  state: string;
  ready: ReadyEvent;
  /** The guest's events about the module that it loaded. */
  modules: GuestEvent[];
  /** Path of the kernel's log. */
  bootLog: string;
}

export const MOUNTED_GUEST = 'mounted-guest';

const DESCRIPTION = 'mounted.json';

const About = z.object({
  ready: ReadyEventSchema,
  modules: z.array(ModuleEventSchema),
  /** Milliseconds since the epoch. */
  saved: z.number(),
});

/** Where a mounted guest comes from, and what it is asked to mount. */
export interface MountedSource {
  from: Checkpoint;
  shape: MachineShape;
  files: Omit<MachineFiles, 'devices'>;
  request: UnitRequest;
  module: Uint8Array | undefined;
  limits: GuestLimits;
  /** To mount. */
  seconds: number;
  /** Why no unit may be cloned from a guest that reported these; undefined if units may. */
  problem: (events: readonly GuestEvent[], findings: readonly Finding[]) => string | undefined;
  signal: AbortSignal | undefined;
}

/** One that exists and is whole. */
export async function findMountedGuest(
  store: Store,
  key: string,
): Promise<MountedGuest | undefined> {
  const directory = await lookUp(store, MOUNTED_GUEST, key);
  if (directory === undefined) return undefined;
  const about = await readDescription(directory, DESCRIPTION, About);
  // The clock of a clone must not be before that of the mount: file systems note times.
  if (about && about.saved <= Date.now()) return { key, ...about, ...placesIn(directory) };
  await discard(store, MOUNTED_GUEST, key);
  return undefined;
}

/** Makes one. A failure is remembered for a day (`recentFailure`). */
export async function makeMountedGuest(
  store: Store,
  key: string,
  source: MountedSource,
): Promise<Outcome<MountedGuest>> {
  const made = await lookUpOrMake(store, MOUNTED_GUEST, key, (directory) =>
    make(directory, source),
  );
  if (!made.ok) {
    if (made.failure.kind === 'tool-failed')
      await rememberFailure(store, key, made.failure.message);
    return made;
  }
  const found = await findMountedGuest(store, key);
  return found ? success(found) : notMade('its files changed after they were written', undefined);
}

/** For one from which no clone started. */
export async function discardMountedGuest(
  store: Store,
  { key }: Pick<MountedGuest, 'key'>,
  message: string,
): Promise<void> {
  await discard(store, MOUNTED_GUEST, key);
  await rememberFailure(store, key, message);
}

function placesIn(directory: string): Pick<MountedGuest, 'memory' | 'state' | 'bootLog'> {
  const place = (name: string) => join(directory, name);
  return { memory: place('memory'), state: place('state'), bootLog: place('boot-log') };
}

async function make(directory: string, source: MountedSource): Promise<Outcome<void>> {
  const { from, shape, files, signal } = source;
  const { memory, state, bootLog } = placesIn(directory);
  const copy = ['cp', '--sparse=auto', '--reflink=auto', from.memory, memory] as const;
  const copied = await runTool([...copy], signal ? { signal } : {});
  // Most likely the disk is full, which may change soon.
  if (!copied.ok) return notMade(lastLine(copied.stderr), signal, 'storage');
  let descriptor: number | undefined;
  try {
    descriptor = openSync(from.state, 'r');
    const argv = qemuArgv(shape, { ...files, devices: [] }, { file: memory, mode: 'continue' });
    const watch = new Watch();
    const guest = startGuest(argv, source.limits, watch, {
      signal,
      inherit: [descriptor],
      resumption: { descriptor: INHERITED_FD, ready: from.ready, plug: [] },
    });
    try {
      const problem = await mount(guest, watch, source);
      if (problem !== undefined) return notMade(problem, signal);
      const saved = await saveMachine(guest.monitor, state, shape);
      await guest.stop();
      if (!saved.ok) return notMade(saved.error, signal);
    } finally {
      await guest.stop();
    }
    // After the end, all of the console was read.
    const problem = source.problem(watch.events, watch.findings);
    if (problem !== undefined) return notMade(problem, signal);
    await writeFile(bootLog, Buffer.concat(watch.bootLog));
    const modules = watch.events.filter(({ event }) => event === 'module');
    const about = { ready: from.ready, modules, saved: Date.now() };
    await describeFiles(directory, ['memory', 'state', 'boot-log'], DESCRIPTION, about);
    return success(undefined);
  } catch (error) {
    return storageFailure(directory, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why it did not mount; undefined if it waits to be saved. */
async function mount(
  guest: Guest,
  watch: Watch,
  { request, seconds, module, problem }: MountedSource,
): Promise<string | undefined> {
  const resumed = await guest.ready;
  if (!resumed.ok) return `the clone did not start (${resumed.ending.kind})`;
  const ended = guest.run(request, seconds, module).then(({ kind }) => kind);
  const early = await Promise.race([watch.mounted, ended]);
  if (early === undefined) return undefined;
  return problem(watch.events, watch.findings) ?? `the guest ended early (${early})`;
}

/** Notes everything that the guest reports while it mounts. */
class Watch implements GuestObserver {
  readonly events: GuestEvent[] = [];
  readonly findings: Finding[] = [];
  readonly bootLog: Uint8Array[] = [];
  readonly mounted: Promise<undefined>;
  #tellMounted: () => void = () => {};

  constructor() {
    this.mounted = new Promise((resolve) => {
      this.#tellMounted = () => resolve(undefined);
    });
  }

  console(): void {}

  event(event: GuestEvent): void {
    this.events.push(event);
    if (event.event === 'mounted') this.#tellMounted();
  }

  filePiece({ name, data }: { name: string; data: Uint8Array }): void {
    if (name === 'boot-log') this.bootLog.push(Buffer.from(data));
  }

  finding(finding: Finding): void {
    this.findings.push(finding);
  }
}

/** The kernel's log of the boot, which the guest reported before it was saved. */
export function bootLogOf({ bootLog }: MountedGuest): Buffer {
  return readFileSync(bootLog);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'its memory could not be copied';
}

function notMade(
  reason: string,
  signal: AbortSignal | undefined,
  kind: 'tool-failed' | 'storage' = 'tool-failed',
): Outcome<never> {
  return signal?.aborted
    ? failure('interrupted', 'Interrupted', 'Start it again')
    : failure(
        kind,
        `No checkpoint was made of the guest with its file system mounted: ${reason}`,
        'Each unit mounts for itself, so nothing needs to be done',
      );
}
