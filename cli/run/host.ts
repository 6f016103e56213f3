import { availableParallelism, freemem, release } from 'node:os';
import { execa } from 'execa';
import type { Unit } from '../plan/unit.js';
import type { RunResult } from './result.js';

/** The machine that guests run on. */

/** What a guest really uses of its memory, and what the host keeps for itself. */
const MEMORY_OF_A_GUEST = 1.5 * 2 ** 30;

/** As many guests as cores and free memory allow. */
export function guestsAtATime(units: readonly Unit[]): number {
  const devices = Math.max(...units.map(({ shape }) => 2 * shape.deviceSize));
  const byMemory = Math.floor(freemem() / (MEMORY_OF_A_GUEST + devices));
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}

/** What a result says of it. */
export async function describeHost(qemu: string): Promise<RunResult['host']> {
  const { stdout } = await execa(qemu, ['--version'], { reject: false });
  return {
    kernel: release(),
    qemu: stdout.split('\n')[0] ?? '',
    node: process.version,
    cpus: availableParallelism(),
  };
}
