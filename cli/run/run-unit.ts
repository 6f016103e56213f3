import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseFsck } from '../findings/fsck.js';
import { type DeviceFile, makeDeviceFile } from '../guest/device-file.js';
import { type GuestLimits, type GuestObserver, startGuest } from '../guest/guest.js';
import { inheritedPath, type MachineShape, qemuArgv } from '../guest/machine.js';
import type { GuestEvent, UnitRequest } from '../guest/protocol.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { UnitRecord } from '../verdict/record.js';
import type { Prepared } from './prepare.js';

/** Runs one unit in a guest of its own and keeps what it says, in files and as a record. */

/** Bytes of a guest's console and of all its files that are kept: a guest must not fill our disk. */
const MOST_CONSOLE = 64 * 1024 * 1024;
const MOST_FILES = 64 * 1024 * 1024;

export interface UnitRun {
  record: UnitRecord;
  /** Name → file name in the unit's directory. */
  artifacts: Record<string, string>;
  bootSeconds: number | undefined;
}

/** Seconds for what is not the test: under emulation on a busy machine everything takes longer. */
export function limitsFor(accelerator: MachineShape['accelerator']): GuestLimits {
  return accelerator === 'kvm'
    ? { boot: 30, silence: 30, afterOops: 15 }
    : { boot: 120, silence: 60, afterOops: 30 };
}

/** How the guest's console names a unit's first step. */
const FIRST_STEP = 'daxrepro: load-module';

/** Seconds that a unit gets beyond its test's: module, mkfs, unmount, check. */
const AROUND_THE_TEST = 120;

export interface UnitRunContext {
  prepared: Prepared;
  /** The unit's own directory, there and empty. */
  directory: string;
  onStep: (step: string) => void;
  signal?: AbortSignal;
}

export function unitShape(unit: Unit, prepared: Prepared): MachineShape {
  return { ...unit.shape, accelerator: prepared.accelerator };
}

/** The command line that `runUnit` starts, for it and for the dry run. */
export function unitArgv(unit: Unit, prepared: Prepared): [string, ...string[]] {
  return qemuArgv(unitShape(unit, prepared), {
    qemu: prepared.qemu,
    kernel: prepared.kernel.bootImage,
    initramfs: prepared.initramfs,
    devices: unit.shape.pmem === 'memmap' ? [] : [inheritedPath(0), inheritedPath(1)],
  });
}

function unitRequest(unit: Unit, { module }: Prepared): UnitRequest {
  return {
    FS: unit.fs,
    TEST: unit.test,
    MKFS_OPTIONS: unit.mkfsOptions,
    MOUNT_OPTIONS: unit.mountOptions,
    TIMEOUT: unit.timeout,
    MODULE_NEEDS: module?.bytes && module.dependencies.join(' '),
  };
}

export async function runUnit(unit: Unit, context: UnitRunContext): Promise<Outcome<UnitRun>> {
  const { prepared, directory, signal } = context;
  const devices = openDevices(unit);
  if (!devices.ok) return devices;
  const keeper = new RecordKeeper(directory, context.onStep);
  try {
    const argv = unitArgv(unit, prepared);
    writeFileSync(join(directory, 'qemu-argv.json'), `${JSON.stringify(argv, null, 2)}\n`);
    const started = performance.now();
    const guest = startGuest(argv, limitsFor(prepared.accelerator), keeper, {
      signal,
      inherit: devices.value.map(({ descriptor }) => descriptor),
    });
    context.onStep('boot');
    const booted = await guest.ready;
    const bootSeconds = booted.ok ? (performance.now() - started) / 1000 : undefined;
    const ending = booted.ok
      ? await guest.run(
          unitRequest(unit, prepared),
          unit.timeout + AROUND_THE_TEST,
          prepared.module?.bytes,
        )
      : booted.ending;
    await guest.stop();
    return success({
      record: keeper.record(ending, booted.ok ? booted.ready : undefined),
      artifacts: keeper.artifacts,
      bootSeconds,
    });
  } finally {
    keeper.close();
    for (const device of devices.value) device.close();
  }
}

function openDevices(unit: Unit): Outcome<DeviceFile[]> {
  const files: DeviceFile[] = [];
  for (let index = 0; index < 2 && unit.shape.pmem !== 'memmap'; index += 1) {
    const file = makeDeviceFile(unit.shape.deviceSize);
    if (!file.ok) {
      for (const opened of files) opened.close();
      return file;
    }
    files.push(file.value);
  }
  return success(files);
}

/** Keeps the console, the events and the guest's files, each within bounds. */
class RecordKeeper implements GuestObserver {
  readonly artifacts: Record<string, string> = {};
  readonly #console: number;
  readonly #log: number;
  readonly #events: GuestEvent[] = [];
  readonly #bootFindings: UnitRecord['bootFindings'] = [];
  readonly #kernelFindings: UnitRecord['kernelFindings'] = [];
  readonly #files = new Map<string, number>();
  #consoleSize = 0;
  #filesSize = 0;
  /** Whether the unit has begun: what the kernel says from then on is its doing. */
  #begun = false;
  #consoleEnd = '';

  constructor(
    readonly directory: string,
    readonly onStep: (step: string) => void,
  ) {
    mkdirSync(directory, { recursive: true });
    this.#console = this.#open('console', 'console.log');
    this.#log = this.#open('events', 'events.jsonl');
  }

  #open(name: string, file: string): number {
    this.artifacts[name] = file;
    return openSync(join(this.directory, file), 'w');
  }

  console(chunk: Buffer): void {
    this.#lookForFirstStep(chunk);
    if (this.#consoleSize > MOST_CONSOLE) return;
    this.#consoleSize += chunk.length;
    writeSync(this.#console, chunk);
    if (this.#consoleSize > MOST_CONSOLE) {
      writeSync(this.#console, '\n[daxrepro: the console is cut off here]\n');
    }
  }

  /**
   * Console and channel arrive in any order: a warning of the first step can be here before word of
   * that step. The guest names its steps on the console too (guest-scripts/lib/unit.sh).
   */
  #lookForFirstStep(chunk: Buffer): void {
    if (this.#begun) return;
    const text = this.#consoleEnd + chunk.toString('latin1');
    this.#begun = text.includes(FIRST_STEP);
    this.#consoleEnd = text.slice(-FIRST_STEP.length);
  }

  event(event: GuestEvent): void {
    if (event.event === 'file') return;
    if (event.event === 'step') {
      this.#begun = true;
      this.onStep(event.name);
    }
    // One that floods us with events is no better than one that floods the console.
    this.#filesSize += JSON.stringify(event).length;
    if (this.#filesSize > MOST_FILES) return;
    this.#events.push(event);
    writeSync(this.#log, `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
  }

  finding(finding: UnitRecord['kernelFindings'][number]): void {
    (this.#begun ? this.#kernelFindings : this.#bootFindings).push(finding);
  }

  filePiece(name: string, data: Uint8Array): void {
    this.#filesSize += data.length;
    if (this.#filesSize > MOST_FILES) return;
    let file = this.#files.get(name);
    if (file === undefined) {
      // The name's shape is checked where events are read; the suffix keeps it off our own files.
      file = this.#open(name, `${name}.txt`);
      this.#files.set(name, file);
    }
    writeSync(file, data);
  }

  record(ending: UnitRecord['ending'], ready: UnitRecord['ready']): UnitRecord {
    const checks: UnitRecord['checks'] = {};
    for (const event of this.#events) {
      if (event.event !== 'fsck') continue;
      const file = this.artifacts[`fsck-${event.name}`];
      const text = file === undefined ? '' : readFileSync(join(this.directory, file), 'utf8');
      const report = parseFsck(text, { device: event.device });
      if (report) checks[event.name] = report;
    }
    return {
      ending,
      ready,
      events: this.#events,
      bootFindings: this.#bootFindings,
      kernelFindings: this.#kernelFindings,
      checks,
    };
  }

  close(): void {
    for (const file of [this.#console, this.#log, ...this.#files.values()]) closeSync(file);
  }
}
