import { type MachineShape, memoryBelow4GiB } from '../guest/machine.js';
import type { PowerCutPlan, Unit } from '../plan/unit.js';
import { powerCutArguments } from './plugin.js';
import { pmemRanges } from './ranges.js';

/** What of a unit's guest is watched: TEST_DEV, of which alone the tests tell promises. */

/** All surviving images of a unit together may take this on the disk, and there are no more than this. */
const MOST_BYTES = 2 * 2 ** 30;
const MOST_CUTS = 20_000;

/**
 * Stores to pmem between two moments at which power is cut, on average, where there is one moment: the
 * tests of the suite make 3,000 (those of xfs) to 30,000.
 */
const STORES = 6_000;

/**
 * Cuts after sync calls: the first eight, then with gaps that grow by a quarter, so that so many reach
 * over some thousands of calls. Twice as many where at some of them something is lost.
 */
const CALLS = 32;

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
    ranges: pmemRanges(shape, memory, devices).slice(0, 1),
    seed: unit.seed,
    states,
    // Records tell of changes, too: the program asks for a cut where it was promised something.
    cutAtPromises: false,
    moments: cuts,
    gap: Math.max(8, Math.round(STORES / (cuts + 1))),
    calls: CALLS,
    mostCuts: MOST_CUTS,
    mostBytes: MOST_BYTES,
  });
}
