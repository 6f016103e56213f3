import { availableParallelism, freemem, release } from 'node:os';
import { execa } from 'execa';
import { deviceSizes } from '../guest/machine.js';
import type { Unit } from '../plan/unit.js';
import type { RunResult } from '../results/run-result.js';

/** Describes the machine that guests run on, and how many it can hold. */

const MIB = 2 ** 20;

/**
 * Bytes that a clone uses besides its devices: the memory that it writes, and QEMU's translated
 * code. 270 MiB were measured for a unit of the built-in suite.
 */
const OF_A_CLONE = 400 * MIB;

/** The memory that all clones of a checkpoint share, plus a reserve for the host. */
const OF_ALL = 768 * MIB;

/**
 * As many guests as cores and memory allow. A guest may fill both its devices, and one that boots
 * uses all its memory.
 *
 * @param available bytes that the machine, or our control group, can still give
 */
export function guestsAtATime(
  units: readonly Unit[],
  checkpoints: boolean,
  available = Math.min(freemem(), availableInGroup()),
): number {
  const needs = units.map(({ shape, powerCut }) => {
    // The guest that examines the surviving images runs next to it.
    const beside = powerCut ? OF_A_CLONE + shape.deviceSize : 0;
    const devices = deviceSizes(shape).reduce((sum, size) => sum + size, 0);
    return devices + (checkpoints ? OF_A_CLONE : shape.memory + OF_A_CLONE) + beside;
  });
  const byMemory = Math.floor((available - OF_ALL) / Math.max(...needs));
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}

/** Node 20.13 and later know the control group's limit. */
function availableInGroup(): number {
  return process.availableMemory?.() ?? Number.POSITIVE_INFINITY;
}

/** The host's part of a result. */
export async function describeHost(...qemus: string[]): Promise<RunResult['host']> {
  const versions = qemus.map(async (qemu) => {
    const { stdout } = await execa(qemu, ['--version'], { reject: false });
    return stdout.split('\n')[0] ?? '';
  });
  return {
    kernel: release(),
    qemu: [...new Set(await Promise.all(versions))].join(' and '),
    node: process.version,
    cpus: availableParallelism(),
  };
}
