import { open } from 'node:fs/promises';
import { INSTRUCTION_SHIFT } from './recorded-machine.js';

/**
 * Makes a saved machine begin with 0 executed instructions, at the same time of the guest. A record has the
 * differences between counts in 31 bits (replay/replay-internal.c of QEMU), and the first one is the count at
 * which the machine was saved.
 *
 * QEMU saves two 64-bit numbers, both big-endian: what the guest's clock had apart from instructions, and the
 * number of instructions (softmmu/icount.c, since 8.2 accel/tcg; the section is "timer/icount", version 1).
 */

/** How a part of a section begins (QEMU_VM_SUBSECTION of migration/savevm.h): its name with its length. */
const NAME = Buffer.from('timer/icount', 'latin1');
const SECTION = Buffer.concat([Buffer.of(5, NAME.length), NAME, Buffer.of(0, 0, 0, 1)]);

/** @returns the offset of the two numbers; undefined unless there is exactly one section with this count */
export function findInstructionCount(state: Buffer, instructions: bigint): number | undefined {
  const found: number[] = [];
  for (let at = state.indexOf(SECTION); at >= 0; at = state.indexOf(SECTION, at + 1)) {
    const numbers = at + SECTION.length;
    if (numbers + 16 > state.length) break;
    if (state.readBigInt64BE(numbers + 8) === instructions) found.push(numbers);
  }
  return found.length === 1 ? found[0] : undefined;
}

/**
 * @param file with the saved machine
 * @param instructions that QEMU reported when it was saved
 * @returns whether the count was found and reset
 */
export async function resetInstructionCount(file: string, instructions: number): Promise<boolean> {
  const handle = await open(file, 'r+');
  try {
    const state = await handle.readFile();
    const at = findInstructionCount(state, BigInt(instructions));
    if (at === undefined) return false;
    const numbers = Buffer.alloc(16);
    const time = state.readBigInt64BE(at) + (BigInt(instructions) << BigInt(INSTRUCTION_SHIFT));
    numbers.writeBigInt64BE(time, 0);
    await handle.write(numbers, 0, numbers.length, at);
    return true;
  } finally {
    await handle.close();
  }
}
