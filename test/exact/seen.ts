/** What the plugin writes (power-cut/who-wrote/who-wrote.h). */

export const KIND = { store: 1, mediumStore: 2, writeBack: 3, onMedium: 4 };

export interface Slot {
  number: number;
  kind?: number;
  instructions?: number;
  console?: number;
  code?: bigint;
  value?: Buffer;
  nonTemporal?: boolean;
  task?: { name: string; pid: number };
  clock?: bigint;
  disk?: string;
  stack?: Buffer;
}

const SLOT = 512 + 16384;

export function makeSlot(one: Slot): Buffer {
  const slot = Buffer.alloc(SLOT);
  const { value = Buffer.of(0), stack = Buffer.alloc(0), task } = one;
  const put = (at: number, number: bigint | number) => slot.writeBigUInt64LE(BigInt(number), at);
  put(0, one.number);
  slot.writeUInt32LE(one.kind ?? KIND.store, 8);
  slot.writeUInt32LE(stack.length, 12);
  put(16, one.instructions ?? 100 * one.number);
  put(24, one.console ?? 0);
  put(32, one.code ?? 0xffffffff81000010n);
  put(56, value.length);
  value.copy(slot, 64);
  slot.writeUInt32LE(one.nonTemporal ? 1 : 0, 80);
  put(88, 0xffffc90000100000n);
  put(136, task ? 0xffff888000001000n : 0);
  slot.write(task?.name ?? '', 144, 'latin1');
  slot.writeInt32LE(task?.pid ?? 0, 160);
  slot.writeInt32LE(task?.pid ?? 0, 164);
  put(168, one.clock ?? 0);
  slot.write(one.disk ?? '', 184, 'latin1');
  stack.copy(slot, 512);
  return slot;
}

export function makeEnd(instructions: number, memory: number, medium: number): Buffer {
  const end = Buffer.alloc(24);
  [instructions, memory, medium].forEach((number, index) => {
    end.writeBigUInt64LE(BigInt(number), 8 * index);
  });
  return end;
}
