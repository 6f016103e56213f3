import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Registers, Stack } from './unwind.js';

/** Reads what the plugin saw (power-cut/who-wrote/who-wrote.h has the form). */

const KINDS = ['store', 'medium-store', 'write-back', 'on-medium'] as const;

export interface Seen {
  /** Their order, over both files; from 1. */
  number: number;
  kind: (typeof KINDS)[number];
  /** Executed instructions as the plugin counts them, the storing one too. */
  instructions: number;
  /** Bytes that the console had shown. */
  console: number;
  code: bigint;
  address: bigint;
  physical: bigint;
  /** The stored bytes. */
  value: Buffer;
  nonTemporal: boolean;
  registers: Registers;
  /** undefined if it is not known. */
  process: { name: string; pid: number; tgid: number } | undefined;
  /** Nanoseconds of the scheduler's clock, at its last tick. */
  clock: bigint;
  /** Of the block device whose buffer the byte belongs to; empty for other stores. */
  disk: string;
  stack: Stack;
}

export interface SeenAll {
  memory: Seen[];
  medium: Seen[];
  /** At the end: instructions, and how many entries each file ever had; undefined if QEMU did not end by itself. */
  end: { instructions: number; memory: number; medium: number } | undefined;
}

const SLOT = 512 + 16384;
const STACK_AT = 512;

export async function readSeen(directory: string): Promise<SeenAll> {
  const file = (name: string) => readFile(join(directory, name)).catch(() => Buffer.alloc(0));
  const [memory, medium, end] = (await Promise.all(['memory', 'medium', 'end'].map(file))) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  return {
    memory: parseSeen(memory),
    medium: parseSeen(medium),
    end:
      end.length === 24
        ? {
            instructions: Number(end.readBigUInt64LE(0)),
            memory: Number(end.readBigUInt64LE(8)),
            medium: Number(end.readBigUInt64LE(16)),
          }
        : undefined,
  };
}

/** In the order in which they happened. */
export function parseSeen(file: Buffer): Seen[] {
  const seen: Seen[] = [];
  for (let at = 0; at + SLOT <= file.length; at += SLOT) {
    seen.push(parseSlot(file.subarray(at, at + SLOT)));
  }
  return seen.sort((a, b) => a.number - b.number);
}

function parseSlot(slot: Buffer): Seen {
  const number = (at: number) => slot.readBigUInt64LE(at);
  const text = (at: number, room: number) =>
    slot.toString('latin1', at, at + room).split('\0')[0] ?? '';
  const size = Number(number(56));
  const sp = number(88);
  return {
    number: Number(number(0)),
    kind: KINDS[slot.readUInt32LE(8) - 1] ?? 'store',
    instructions: Number(number(16)),
    console: Number(number(24)),
    code: number(32),
    address: number(40),
    physical: number(48),
    value: Buffer.from(slot.subarray(64, 64 + Math.min(size, 16))),
    nonTemporal: slot.readUInt32LE(80) !== 0,
    registers: {
      ...{ sp, bp: number(96), r10: number(104), r13: number(112), di: number(120) },
      dx: number(128),
    },
    process:
      number(136) === 0n
        ? undefined
        : { name: text(144, 16), pid: slot.readInt32LE(160), tgid: slot.readInt32LE(164) },
    clock: number(168),
    disk: text(184, 32),
    stack: { at: sp, bytes: slot.subarray(STACK_AT, STACK_AT + slot.readUInt32LE(12)) },
  };
}
