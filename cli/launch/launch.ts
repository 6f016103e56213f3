import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checkpoint, checkpoint, discardCheckpoint } from '../guest/checkpoint.js';
import type { DeviceContents } from '../guest/contents.js';
import { makeDeviceFile } from '../guest/device-file.js';
import type { Ending } from '../guest/ending.js';
import {
  type Guest,
  type GuestLimits,
  type GuestObserver,
  type GuestOptions,
  startGuest,
} from '../guest/guest.js';
import {
  arePlugged,
  deviceSizes,
  type GdbAddress,
  INHERITED_FD,
  inheritedPath,
  isSaveable,
  type MachineFiles,
  type MachineShape,
  plugCommands,
  qemuArgv,
} from '../guest/machine.js';
import { discardMountedGuest, type MountedGuest } from '../guest/mounted-guest.js';
import type { UnitRequest } from '../guest/protocol.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { watchArguments } from '../power-cut/watch.js';
import type { Progress } from '../progress.js';
import type { Store } from '../store/store.js';
import { EXECUTION, type StartingPoint } from './execution-record.js';
import type { ImageBudget } from './images.js';
import type { MountedGuests } from './mounted-guests.js';
import type { Prepared } from './prepared.js';

/** Starts a guest for a unit: a clone of a checkpoint, or one that boots. */

export interface UnitRunContext {
  prepared: Prepared;
  /** The unit's own directory, which must exist and be empty. */
  directory: string;
  store: Store;
  /** Whether to clone a checkpoint, making it if needed, or to boot. */
  checkpoints: boolean;
  /** The second checkpoints of the run; undefined: each unit mounts for itself. */
  mounted?: MountedGuests | undefined;
  /**
   * Called before a clone of a mounted guest starts; with undefined if it did not start, and the
   * unit begins anew.
   */
  onMounted?: (from: MountedGuest | undefined) => void;
  images: ImageBudget;
  /** Initial contents of devices, instead of a fresh file system or nothing. */
  contents?: Partial<Record<'test' | 'scratch', DeviceContents>> | undefined;
  /** Whether to trace write-back. The verdict does not use it. */
  trace?: boolean;
  /** What to run instead of a test. */
  session?: UnitSession | undefined;
  /** The plugin's directory if power is cut; must exist and be empty. */
  cutDirectory?: string | undefined;
  /** Open descriptors of the devices' files, instead of empty ones; not for memmap. */
  devices?: readonly number[] | undefined;
  progress: Progress;
  onStep: (step: string) => void;
  signal?: AbortSignal | undefined;
}

/** A session instead of a test: a person's shell, or a person's command. */
export interface UnitSession {
  /** Additional requests to the guest. */
  request: Partial<UnitRequest>;
  /** In seconds, for a guest in which somebody works, or which a debugger stops. */
  limits: Partial<GuestLimits>;
  gdb: GdbAddress | undefined;
  observer: Pick<GuestObserver, 'event' | 'finding' | 'silent'>;
  /** Called when the guest is ready, before it knows what to do. */
  begin(guest: Guest): Promise<void>;
}

/** Seconds for everything but the test: emulation on a busy machine is slow. */
function limitsFor(accelerator: MachineShape['accelerator']): GuestLimits {
  return accelerator === 'kvm'
    ? { boot: 30, silence: 30, afterOops: 15 }
    : { boot: 120, silence: 60, afterOops: 30 };
}

function unitShape(unit: Unit, prepared: Prepared): MachineShape {
  return { ...unit.shape, accelerator: prepared.accelerator };
}

function machineFiles(unit: Unit, prepared: Prepared): Omit<MachineFiles, 'devices' | 'execution'> {
  const { qemu, kernel, initramfs } = prepared;
  return {
    qemu,
    ...(unit.powerCut ? qemuForCuts(prepared) : {}),
    kernel: kernel.bootImage,
    initramfs,
  };
}

/** Not every QEMU can watch the guest's stores. */
function qemuForCuts({ powerCut }: Prepared): Pick<MachineFiles, 'qemu' | 'environment' | 'after'> {
  if (!powerCut) throw new Error('power cuts were not prepared');
  return { qemu: powerCut.qemu, environment: powerCut.environment, after: powerCut.after };
}

/** The command line of a unit that boots, for the unit and for the dry run. */
export function unitArgv(
  unit: Unit,
  prepared: Prepared,
  { gdb, execution }: Pick<MachineFiles, 'gdb' | 'execution'> = {},
): [string, ...string[]] {
  return qemuArgv(unitShape(unit, prepared), {
    ...machineFiles(unit, prepared),
    ...{ gdb, execution },
    devices:
      unit.shape.pmem === 'memmap'
        ? []
        : deviceSizes(unit.shape).map((_, index) => inheritedPath(index)),
  });
}

export interface Launched {
  guest: Guest;
  cloned: boolean;
  /** The guest has mounted its file system. */
  mounted?: MountedGuest | undefined;
  /** The files that the guest began with. */
  start: StartingPoint;
}

/** A guest that is starting: a clone if possible, else one that boots. */
export async function launch(
  unit: Unit,
  context: UnitRunContext,
  keeper: GuestObserver,
  opened: number[],
): Promise<Outcome<Launched>> {
  const { prepared, progress } = context;
  if (context.checkpoints && isSaveable(unit.shape)) {
    const mounted = await launchMounted(unit, context, keeper, opened);
    if (mounted) return success(mounted);
    const found = await bootedGuest(unit, context);
    if (found.ok) {
      const guest = clone(unit, found.value, context, keeper, opened);
      if (!guest.ok) return guest;
      const booted = await guest.value.ready;
      if (booted.ok || booted.ending.kind === 'interrupted') {
        const start = startingPoint('booted', unit, prepared, found.value);
        return success({ guest: guest.value, cloned: true, start });
      }
      await guest.value.stop();
      const reason = reasonOf(booted.ending);
      await discardCheckpoint(context.store, found.value, reason);
      if (unit.powerCut) return notCut(reason);
      const text = `The guest's checkpoint could not be used (${reason}); booting instead`;
      progress({ type: 'note', text });
    } else if (found.failure.kind === 'interrupted') {
      return found;
    } else if (unit.powerCut) {
      return found;
    } else {
      progress({ type: 'note', text: `${found.failure.message}; booting instead` });
    }
  }
  if (unit.powerCut) return notCut('--no-checkpoint');
  const devices = openDevices(unit, context, opened);
  if (!devices.ok) return devices;
  const gdb = context.session?.gdb;
  const execution = executionOf(unit, context);
  const guest = start(unit, unitArgv(unit, prepared, { gdb, execution }), context, keeper, {
    inherit: devices.value,
  });
  return success({ guest, cloned: false, start: startingPoint('off', unit, prepared) });
}

/** Where QEMU records the unit's execution; undefined if it does not. */
function executionOf({ shape }: Unit, { directory }: UnitRunContext): string | undefined {
  return shape.recorded ? join(directory, EXECUTION) : undefined;
}

function startingPoint(
  kind: StartingPoint['kind'],
  unit: Unit,
  prepared: Prepared,
  from?: Pick<Checkpoint, 'key' | 'memory' | 'state' | 'devices'>,
): StartingPoint {
  const { kernel, initramfs } = machineFiles(unit, prepared);
  const devices = from?.devices.map((file, index) => [`device-${index}`, file] as const) ?? [];
  return {
    kind,
    key: from?.key,
    files: {
      ...{ kernel, initramfs },
      ...(from ? { memory: from.memory, state: from.state, ...Object.fromEntries(devices) } : {}),
    },
  };
}

/** The checkpoint of the unit's machine, made if needed. */
function bootedGuest(unit: Unit, context: UnitRunContext): Promise<Outcome<Checkpoint>> {
  const { prepared, store, progress, signal } = context;
  const limits = limitsFor(prepared.accelerator);
  const files = machineFiles(unit, prepared);
  return checkpoint(unitShape(unit, prepared), files, { store, progress, limits, signal });
}

/** A clone of a guest that has mounted the unit's file system; undefined if there is none. */
async function launchMounted(
  unit: Unit,
  context: UnitRunContext,
  keeper: GuestObserver,
  opened: number[],
): Promise<Launched | undefined> {
  if (!context.mounted || !mayShareMount(unit, context)) return undefined;
  const { prepared, store, progress, signal } = context;
  const mounted = await context.mounted.find(unit, prepared, {
    ...{ store, progress, signal },
    shape: unitShape(unit, prepared),
    files: machineFiles(unit, prepared),
    limits: limitsFor(prepared.accelerator),
    booted: () => bootedGuest(unit, context),
  });
  if (!mounted) return undefined;
  context.onMounted?.(mounted);
  const from = { ...mounted, devices: [] };
  const guest = clone(unit, from, context, keeper, opened);
  if (!guest.ok) return undefined;
  const resumed = await guest.value.ready;
  if (resumed.ok || resumed.ending.kind === 'interrupted') {
    const start = startingPoint('mounted', unit, prepared, from);
    return { guest: guest.value, cloned: true, mounted, start };
  }
  await guest.value.stop();
  context.onMounted?.(undefined);
  const reason = reasonOf(resumed.ending);
  await discardMountedGuest(store, mounted, reason);
  const text = `The checkpoint with a mounted file system could not be used (${reason}); mounting again`;
  progress({ type: 'note', text });
  return undefined;
}

/**
 * Whether the unit begins like others. The devices' contents have to be in memory, so that they are
 * cloned with it.
 */
function mayShareMount(
  { shape, powerCut, sysctl, session, devices: additional }: Unit,
  { contents, trace, devices, prepared: { module } }: UnitRunContext,
): boolean {
  const own = powerCut || session || trace || devices || sysctl?.length || additional?.length;
  // Without a build id a clone could not tell which module it has.
  const known = module === undefined || module.buildId !== '';
  return shape.pmem === 'memmap' && !own && known && Object.keys(contents ?? {}).length === 0;
}

/** QEMU's own message, if it has one. */
function reasonOf(ending: Ending): string {
  const message = 'message' in ending ? ending.message.trim() : '';
  return message === '' ? ending.kind : message.split('\n').join('; ');
}

function clone(
  unit: Unit,
  from: Checkpoint,
  context: UnitRunContext,
  keeper: GuestObserver,
  opened: number[],
): Outcome<Guest> {
  const { prepared } = context;
  const shape = unitShape(unit, prepared);
  // Each clone has files of its own, unless it begins with a copy of the checkpoint's.
  const own = from.devices.length === 0 ? openDevices(unit, context, opened) : success([]);
  if (!own.ok) return own;
  const paths = own.value.map((_, index) => inheritedPath(index));
  const plugged = arePlugged(shape);
  const devices = [...from.devices, ...paths];
  const inherit = [...own.value];
  /** @returns its index among the inherited descriptors */
  const pass = (file: string) => {
    const descriptor = openSync(file, 'r');
    opened.push(descriptor);
    return inherit.push(descriptor) - 1;
  };
  const state = pass(from.state);
  const files = machineFiles(unit, prepared);
  const watch = watching(unit, from, devices, context, pass);
  const argv = qemuArgv(
    shape,
    {
      ...files,
      environment: { ...files.environment, ...watch?.environment },
      devices: plugged ? [] : devices,
      gdb: context.session?.gdb,
      execution: executionOf(unit, context),
    },
    { file: from.memory, mode: 'resume' },
  );
  argv.push(...(watch?.arguments ?? []));
  return success(
    start(unit, argv, context, keeper, {
      inherit,
      resumption: {
        descriptor: INHERITED_FD + state,
        ready: from.ready,
        plug: plugged ? plugCommands(shape, paths) : [],
      },
    }),
  );
}

function start(
  { shape }: Unit,
  argv: [string, ...string[]],
  { directory, prepared, signal, session }: UnitRunContext,
  keeper: GuestObserver,
  options: GuestOptions,
): Guest {
  writeFileSync(join(directory, 'qemu-argv.json'), `${JSON.stringify(argv, null, 2)}\n`);
  const limits = { ...limitsFor(prepared.accelerator), ...session?.limits };
  const { terminal, recorded = false } = shape;
  return startGuest(argv, limits, keeper, { ...options, signal, terminal, recorded });
}

/** Makes QEMU watch TEST_DEV; undefined if power is not cut. */
function watching(
  unit: Unit,
  { memory }: Checkpoint,
  devices: readonly string[],
  { prepared, cutDirectory }: UnitRunContext,
  pass: (file: string) => number,
): ReturnType<typeof watchArguments> | undefined {
  if (!unit.powerCut) return undefined;
  if (!prepared.powerCut || !cutDirectory) throw new Error('power cuts were not prepared');
  const { plugin } = prepared.powerCut;
  return watchArguments(unit, unit.powerCut, {
    plugin,
    preload: inheritedPath(pass(plugin)),
    directory: cutDirectory,
    memory,
    devices,
    shape: unitShape(unit, prepared),
  });
}

/** The plugin cannot read the memory of a guest that boots. */
function notCut(why: string): Outcome<Launched> {
  return failure(
    'tool-failed',
    `Power cuts need a guest cloned from a checkpoint, but there is none (${why})`,
    'Read the message about the checkpoint, and run without --no-checkpoint',
  );
}

/** Descriptors of empty files for the devices; none for memmap. */
function openDevices(
  unit: Unit,
  context: Pick<UnitRunContext, 'devices'>,
  opened: number[],
): Outcome<number[]> {
  if (context.devices) return success([...context.devices]);
  const descriptors: number[] = [];
  for (const size of unit.shape.pmem === 'memmap' ? [] : deviceSizes(unit.shape)) {
    const file = makeDeviceFile(size);
    if (!file.ok) return file;
    descriptors.push(file.value);
    opened.push(file.value);
  }
  return success(descriptors);
}
