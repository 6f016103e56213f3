import { closeSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ending, Guest, GuestObserver } from '../guest/guest.js';
import { memoryBelow4GiB } from '../guest/machine.js';
import { bootLogOf, type MountedGuest } from '../guest/mounted-guest.js';
import { poisonText } from '../guest/poison.js';
import type { UnitRequest } from '../guest/protocol.js';
import type { RecordedExecution, StartingPoint } from '../launch/execution-record.js';
import { ImageKeeper, type KeptImage } from '../launch/images.js';
import { launch, type UnitRunContext, type UnitSession } from '../launch/launch.js';
import type { Prepared } from '../launch/prepared.js';
import { RecordKeeper } from '../launch/record-keeper.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { pmemRanges } from '../power-cut/ranges.js';
import type { UnitRecord } from '../record/record.js';
import { sha256Of } from '../sha256.js';
import type { CutGuest, SurvivorCheck } from '../survivors/check.js';
import type { PackedUserTest } from '../user-test/user-test.js';

/** Runs one unit in a guest of its own, and keeps its output as files and as a record. */

export interface UnitRun {
  record: UnitRecord;
  /** Name → file name in the unit's directory. */
  artifacts: Record<string, string>;
  images: KeptImage[];
  bootSeconds: number | undefined;
  /** Whether the guest came from a checkpoint. */
  cloned: boolean;
  /** Whether its file system was mounted then. */
  clonedMounted?: boolean;
  /** If its execution was recorded. */
  execution?: RecordedExecution | undefined;
}

/** Seconds for the rest of a unit, besides its test: module, mkfs, unmount, check. */
export const AROUND_THE_TEST = 120;

/**
 * Seed for a guest's random generator, 32 bytes in hexadecimal, as the kernel's generator keeps
 * them. The kernel also mixes in interrupt times, so guests with the same seed are alike but not
 * equal.
 */
function entropy(seed: number): string {
  return sha256Of(`entropy ${seed}`);
}

/** The parts of a request that do not depend on the unit. */
export interface RequestOptions {
  /** Bytes for images. */
  imageBytes: number;
  /** All tests, if the guest runs more than one. */
  together?: readonly string[];
  /** Whether to trace write-back. */
  trace?: boolean | undefined;
}

export function unitRequest(
  unit: Unit,
  { module, userTests }: Prepared,
  { imageBytes, together, trace }: RequestOptions,
): UnitRequest {
  return {
    FS: unit.fs,
    TEST: unit.test,
    SUITE: unit.suite.name === 'xfstests' ? 'xfstests' : undefined,
    ...userTestRequest(unit, userTests),
    SYSCTL: unit.sysctl?.join('\t'),
    POISON: unit.poison?.map(poisonText).join(' '),
    ADDITIONAL: unit.devices?.join(' '),
    TOGETHER: together?.join(' '),
    MKFS_OPTIONS: unit.mkfsOptions,
    MOUNT_OPTIONS: unit.mountOptions,
    TIMEOUT: unit.timeout,
    CLOCK: Date.now() * 1000,
    ENTROPY: entropy(unit.seed),
    SEED: unit.seed,
    POWER_CUT: unit.powerCut ? 1 : undefined,
    IMAGE_BYTES: imageBytes,
    TRACE: trace ? 1 : undefined,
    MODULE_NEEDS: module?.bytes && module.dependencies.join(' '),
  };
}

/** Passes events to both, to the keeper first. */
function told(keeper: GuestObserver, session: UnitSession | undefined): GuestObserver {
  if (!session) return keeper;
  return {
    console: (chunk) => keeper.console(chunk),
    filePiece: (piece) => keeper.filePiece(piece),
    event: (event) => {
      keeper.event(event);
      session.observer.event(event);
    },
    finding: (finding) => {
      keeper.finding(finding);
      session.observer.finding(finding);
    },
    silent: (seconds) => session.observer.silent?.(seconds),
    started: (clock) => keeper.started?.(clock),
  };
}

export async function runUnit(unit: Unit, context: UnitRunContext): Promise<Outcome<UnitRun>> {
  const { directory, session } = context;
  const images = new ImageKeeper(directory, unit.shape.deviceSize, context.images);
  const keeper = new RecordKeeper(directory, context.onStep, { images });
  const opened: number[] = [];
  let check: SurvivorCheck | undefined;
  try {
    context.onStep('boot');
    const started = performance.now();
    const cutDirectory = unit.powerCut ? await makeCutDirectory(directory) : undefined;
    if (cutDirectory !== undefined) check = await beginCheck(unit, { ...context, cutDirectory });
    const launched = await launch(
      unit,
      {
        ...{ ...context, cutDirectory },
        onMounted: (from) => keeper.mounted(from && { ...from, bootLog: bootLogOf(from) }),
      },
      told(keeper, session),
      opened,
    );
    if (!launched.ok) return launched;
    const { guest, cloned, mounted, start } = launched.value;
    const booted = await guest.ready;
    const ready = performance.now();
    const bootSeconds = booted.ok ? (performance.now() - started) / 1000 : undefined;
    const ending = booted.ok ? await runInGuest(guest, unit, context, mounted) : booted.ending;
    await guest.stop();
    const record = keeper.record(ending, booted.ok ? booted.ready : undefined);
    if (check && ending.kind === 'finished') {
      context.onStep('images that survived');
      const checked = await check.conclude(await cutGuest(record, directory));
      if (!checked.ok) return checked;
      record.powerCut = checked.value;
    }
    return success({
      record,
      artifacts: keeper.artifacts,
      images: await images.pack(context.signal),
      bootSeconds,
      cloned,
      clonedMounted: mounted !== undefined,
      ...(unit.shape.recorded
        ? { execution: await recordedExecution(guest, start, unit, context, ready) }
        : {}),
    });
  } finally {
    keeper.close();
    for (const descriptor of opened) closeSync(descriptor);
    if (check) {
      await check.close();
      await keepEvents(directory);
    }
  }
}

async function recordedExecution(
  guest: Guest,
  start: StartingPoint,
  { shape }: Unit,
  { directory, prepared }: UnitRunContext,
  ready: number,
): Promise<RecordedExecution> {
  const argv = JSON.parse(await readFile(join(directory, 'qemu-argv.json'), 'utf8')) as string[];
  const seconds = Math.round((performance.now() - ready) / 10) / 100;
  const { qemu, kernel } = prepared;
  const placed = { ...shape, accelerator: prepared.accelerator };
  const pmem = pmemRanges(placed, '', ['', '']).map(({ start, size }) => ({ start, size }));
  const machine = { low: memoryBelow4GiB(placed), pmem };
  return { start, end: guest.recorded, argv, qemu, machine, symbols: kernel.symbols, seconds };
}

async function runInGuest(
  guest: Guest,
  unit: Unit,
  { prepared, contents = {}, session, images, trace }: UnitRunContext,
  mounted: MountedGuest | undefined,
): Promise<Ending> {
  await session?.begin(guest);
  return guest.run(
    {
      ...unitRequest(unit, prepared, { imageBytes: images.left, trace }),
      CONTENTS: Object.keys(contents).join(' '),
      // It is loaded.
      ...(mounted ? { MODULE_NEEDS: undefined } : {}),
      ...session?.request,
    },
    unit.timeout + AROUND_THE_TEST,
    mounted ? undefined : prepared.module?.bytes,
    Object.values(contents),
    await userTestArchive(unit, prepared),
  );
}

function userTestRequest(
  { test, userTest, endsByTime }: Unit,
  userTests: Prepared['userTests'],
): Partial<UnitRequest> {
  if (!userTest) return {};
  return {
    USER_TEST: userTest.kind === 'fio' ? 'fio' : 'program',
    PACK_BYTES: packedTest(test, userTests).bytes,
    ...(endsByTime ? { TIME_LIMIT_IS: 'normal' } : {}),
  };
}

async function userTestArchive(
  { test, userTest }: Unit,
  { userTests }: Prepared,
): Promise<Uint8Array | undefined> {
  return userTest && readFile(packedTest(test, userTests).file);
}

function packedTest(test: string, userTests: Prepared['userTests']): PackedUserTest {
  const packed = userTests?.get(test);
  if (!packed) throw new Error(`the test file ${test} was not packed`);
  return packed;
}

/** What the check of the surviving images needs to know about the guest. */
async function cutGuest(record: UnitRecord, directory: string): Promise<CutGuest> {
  const modules = await readFile(join(directory, 'modules.txt'), 'utf8').catch(() => '');
  const devices = devicesOf(record);
  const mountOptions = record.events.flatMap((event) =>
    event.event === 'mount' && devices.some(({ name }) => name === event.device)
      ? [event.options]
      : [],
  );
  return { modules, devices, mountOptions };
}

/**
 * Folder in the unit's directory while it runs: the plugin's output, and the changes of the medium.
 */
const CUTS = 'cuts';

async function makeCutDirectory(directory: string): Promise<string> {
  const cuts = join(directory, CUTS);
  await mkdir(cuts, { recursive: true });
  return cuts;
}

/** Devices plugged in later did not exist when the guest was ready. */
function devicesOf({ ready, events }: UnitRecord): CutGuest['devices'] {
  const begin = events.find((event) => event.event === 'begin');
  return [
    { name: begin?.testDevice || ready?.testDevice || '', address: begin?.testAddress },
    { name: begin?.scratchDevice || ready?.scratchDevice || '', address: begin?.scratchAddress },
  ];
}

/** The plugin's events stay. Its data from the medium is large and goes. */
async function keepEvents(directory: string): Promise<void> {
  const cuts = join(directory, CUTS);
  await copyFile(join(cuts, 'events.jsonl'), join(directory, 'power-cuts.jsonl')).catch(() => {});
  await rm(cuts, { recursive: true, force: true });
}

async function beginCheck(
  unit: Unit,
  { prepared, directory, store, checkpoints, progress, signal, cutDirectory }: CutContext,
): Promise<SurvivorCheck> {
  // Loaded only for power cuts.
  const { SurvivorCheck } = await import('../survivors/check.js');
  // Only the steps of the unit's own guest are reported.
  const onStep = () => {};
  return new SurvivorCheck(unit, {
    ...{ prepared, directory, store, checkpoints, progress, signal, onStep, cutDirectory },
  });
}

type CutContext = UnitRunContext & { cutDirectory: string };
