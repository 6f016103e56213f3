import { type MachineShape, memoryBelow4GiB } from '../guest/machine.js';
import type { PowerCutPlan, Unit } from '../plan/unit.js';
import { powerCutArguments } from './plugin.js';
import { pmemRanges } from './ranges.js';

/** How a unit's guest is watched: both devices, although tests that record promises do so only for TEST_DEV. */

/** Limits of all surviving images of a unit: their bytes on the disk, and their number. */
const MOST_BYTES = 2 * 2 ** 30;
const MOST_CUTS = 20_000;

/**
 * Average number of stores to pmem between two random cuts, for one cut per test. The tests of the suite make
 * from 3,000 (xfs) to 30,000 stores.
 */
const STORES = 6_000;

/**
 * Cuts after sync calls at which nothing is lost: after each of the first eight calls, then at gaps that grow
 * by a quarter each. That many cuts reach over some thousands of calls.
 */
const CALLS = 32;

/**
 * Cuts after sync calls that return with lost lines. Only an image shows which file owns the lines, and a call
 * without an image is not judged. Examining an image takes 0.15 s (xfs: 0.45 s) and some 100 KiB of the disk.
 */
const LOST_CALLS = 256;

export interface Watched {
  plugin: string;
  /** A path without blanks, by which LD_PRELOAD finds it. */
  preload: string;
  /** The output directory. */
  directory: string;
  /** The file that holds the guest's memory. */
  memory: string;
  /** The devices' files, as QEMU gets them; none for memmap. */
  devices: readonly string[];
  shape: MachineShape;
}

/** QEMU's arguments and environment variables. */
export function watchArguments(
  unit: Pick<Unit, 'seed'>,
  { cuts, states }: PowerCutPlan,
  { plugin, preload, directory, memory, devices, shape }: Watched,
): ReturnType<typeof powerCutArguments> {
  return powerCutArguments({
    plugin,
    preload,
    directory,
    memory: { file: memory, low: memoryBelow4GiB(shape) },
    ranges: pmemRanges(shape, memory, devices),
    seed: unit.seed,
    states,
    // Records also announce changes. The program asks for a cut after each promise.
    cutAtPromises: false,
    moments: cuts,
    gap: Math.max(8, Math.round(STORES / (cuts + 1))),
    calls: CALLS,
    lostCalls: LOST_CALLS,
    mostCuts: MOST_CUTS,
    mostBytes: MOST_BYTES,
  });
}
