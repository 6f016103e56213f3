import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Monitor } from '../guest/monitor.js';

/** Reads the memory of a stopped guest. */
export class GuestMemory {
  #number = 0;

  /** @param directory for files of a moment */
  constructor(
    readonly monitor: Monitor,
    readonly directory: string,
  ) {}

  /** By the page tables of the CPU; undefined if it is not mapped. */
  async read(address: bigint, length: number): Promise<Buffer | undefined> {
    const filename = join(this.directory, `memory-${this.#number++}`);
    // QEMU takes a signed number.
    const val = Number(BigInt.asIntN(64, address));
    const saved = await this.monitor.execute('memsave', { val, size: length, filename });
    if (!saved.ok) return undefined;
    const bytes = await readFile(filename).catch(() => undefined);
    await rm(filename, { force: true });
    return bytes?.length === length ? bytes : undefined;
  }

  async number(address: bigint): Promise<bigint | undefined> {
    return (await this.read(address, 8))?.readBigUInt64LE(0);
  }
}
