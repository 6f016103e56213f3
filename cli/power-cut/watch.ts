import { type MachineShape, memoryBelow4GiB } from '../guest/machine.js';
import type { PowerCutPlan, Unit } from '../plan/unit.js';
import { powerCutArguments } from './plugin.js';
import { pmemRanges } from './ranges.js';

/** What of a unit's guest is watched: both devices, though tests that tell promises do so of TEST_DEV alone. */

/** All surviving images of a unit together may take this on the disk, and there are no more than this. */
const MOST_BYTES = 2 * 2 ** 30;
const MOST_CUTS = 20_000;

/**
 * Stores to pmem between two moments at which power is cut, on average, where there is one moment: the
 * tests of the suite make 3,000 (those of xfs) to 30,000.
 */
const STORES = 6_000;

/**
 * Cuts after sync calls at which nothing is lost: the first eight, then with gaps that grow by a quarter, so
 * that so many reach over some thousands of calls.
 */
const CALLS = 32;

/**
 * Cuts after those at which something is: it takes an image to tell whose that is, and a call without one
 * is not judged. An image takes 0.15 s to look at, of xfs 0.45 s, and some 100 KiB of the disk.
 */
const LOST_CALLS = 256;

export interface Watched {
  plugin: string;
  /** Where QEMU finds it open: a path without blanks. */
  preload: string;
  /** Where it writes. */
  directory: string;
  /** The file that holds the guest's memory. */
  memory: string;
  /** The devices' files, as QEMU is given them; none for memmap. */
  devices: readonly string[];
  shape: MachineShape;
}

/** QEMU's arguments, and what of its environment. */
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
    // Records tell of changes, too: the program asks for a cut where it was promised something.
    cutAtPromises: false,
    moments: cuts,
    gap: Math.max(8, Math.round(STORES / (cuts + 1))),
    calls: CALLS,
    lostCalls: LOST_CALLS,
    mostCuts: MOST_CUTS,
    mostBytes: MOST_BYTES,
  });
}
