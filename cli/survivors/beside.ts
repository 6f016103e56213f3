import { closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { makeDeviceFile } from '../guest/device-file.js';
import type { Ending, Guest, GuestObserver } from '../guest/guest.js';
import type { UnitRequest } from '../guest/protocol.js';
import { ImageBudget } from '../launch/images.js';
import { launch, type UnitRunContext } from '../launch/launch.js';
import { RecordKeeper } from '../launch/record-keeper.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { UnitRecord } from '../record/record.js';

/** A second guest next to the one under test: the same kernel, two plain disks, no power cuts. */

export type BesideContext = Pick<
  UnitRunContext,
  'prepared' | 'directory' | 'store' | 'checkpoints' | 'progress' | 'onStep' | 'signal'
>;

/**
 * Size of each disk in bytes. Disks are sparse and always of this size, so that one checkpoint
 * serves all.
 */
export const DISK = 64 * 2 ** 30;

export async function makeKeeper(directory: string): Promise<RecordKeeper> {
  await mkdir(directory, { recursive: true });
  return new RecordKeeper(directory, () => {});
}

/** @param opened collects what must be closed after the guest has ended */
export async function launchBeside(
  unit: Unit,
  context: BesideContext,
  disks: readonly number[],
  observer: GuestObserver,
  opened: number[],
): Promise<Outcome<Guest>> {
  const { powerCut: _, ...prepared } = context.prepared;
  const { directory, store, checkpoints, progress, onStep, signal } = context;
  const launched = await launch(
    {
      ...unit,
      shape: { ...unit.shape, pmem: 'none', deviceSize: DISK, cpus: 1 },
      powerCut: undefined,
    },
    {
      ...{ directory, store, checkpoints, progress, onStep, signal },
      prepared,
      images: new ImageBudget(0),
      devices: disks,
    },
    observer,
    opened,
  );
  return launched.ok ? success(launched.value.guest) : launched;
}

export function runBeside(
  guest: Guest,
  unit: Unit,
  { prepared: { module } }: BesideContext,
  request: Partial<UnitRequest>,
  seconds: number,
): Promise<Ending> {
  return guest.run(
    {
      FS: unit.fs,
      TEST: unit.test,
      TIMEOUT: seconds,
      CLOCK: Date.now() * 1000,
      ENTROPY: '00'.repeat(32),
      MODULE_NEEDS: module?.bytes && module.dependencies.join(' '),
      ...request,
    },
    seconds,
    module?.bytes,
  );
}

/** Makes such a guest do one thing, then ends it. */
export async function askBeside(
  unit: Unit,
  context: BesideContext,
  request: Partial<UnitRequest>,
  seconds: number,
): Promise<Outcome<UnitRecord>> {
  const keeper = await makeKeeper(context.directory);
  const opened: number[] = [];
  try {
    for (let index = 0; index < 2; index += 1) {
      const made = makeDeviceFile(DISK);
      if (!made.ok) return made;
      opened.push(made.value);
    }
    const launched = await launchBeside(unit, context, [...opened], keeper, opened);
    if (!launched.ok) return launched;
    const guest = launched.value;
    const booted = await guest.ready;
    const ending = booted.ok
      ? await runBeside(guest, unit, context, request, seconds)
      : booted.ending;
    await guest.stop();
    return success(keeper.record(ending, undefined));
  } finally {
    keeper.close();
    for (const descriptor of opened) closeSync(descriptor);
  }
}
