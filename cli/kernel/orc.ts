import { lastUpTo, sortByAddress } from './by-address.js';

/**
 * The kernel's tables for unwinding stacks (Documentation/arch/x86/orc-unwinder.rst, arch/x86/include/asm/orc_types.h
 * of Linux). For each address they say where the caller's stack pointer is.
 */

/** What the stack pointer or the base pointer is computed from. */
export type OrcBase =
  | 'undefined'
  | 'previous-sp'
  | 'dx'
  | 'di'
  | 'bp'
  | 'sp'
  | 'r10'
  | 'r13'
  | 'bp-indirect'
  | 'sp-indirect';

const BASES: readonly OrcBase[] = [
  ...(['undefined', 'previous-sp', 'dx', 'di', 'bp', 'sp', 'r10', 'r13'] as const),
  ...(['bp-indirect', 'sp-indirect'] as const),
];

export interface OrcEntry {
  /** `regs`: an interrupted frame, with all of its registers; `partial`: with those that the CPU saves. */
  type: 'call' | 'regs' | 'partial' | 'end';
  sp: { base: OrcBase; offset: number };
  bp: { base: OrcBase; offset: number };
}

const ENTRY = 6;

export interface OrcTable {
  /** Pairs with `entries`: offsets of code from where each offset is itself, 4 bytes each. */
  offsets: Buffer;
  /** Where `offsets` are in the kernel's memory. */
  at: bigint;
  entries: Buffer;
}

export class Orc {
  /** Sorted. */
  readonly #code: { address: bigint; entry: number }[];
  readonly #entries: Buffer;

  /** @param withHeader of a kernel with a section .orc_header (since 6.4) */
  constructor(
    { offsets, at, entries }: OrcTable,
    readonly withHeader: boolean,
  ) {
    this.#entries = entries;
    const count = Math.min(offsets.length / 4, Math.floor(entries.length / ENTRY));
    const code = Array.from({ length: Math.floor(count) }, (_, index) => ({
      address: at + BigInt(4 * index) + BigInt(offsets.readInt32LE(4 * index)),
      entry: index,
    }));
    this.#code = sortByAddress(code);
  }

  /** @returns undefined if no entry covers the address */
  at(address: bigint): OrcEntry | undefined {
    const found = lastUpTo(this.#code, address);
    return found && this.#entry(found.entry * ENTRY);
  }

  #entry(at: number): OrcEntry | undefined {
    const bits = this.#entries.readUInt16LE(at + 4);
    const sp = BASES[bits & 15];
    const bp = BASES[(bits >> 4) & 15];
    const type = this.withHeader
      ? ([undefined, 'end', 'call', 'regs', 'partial'] as const)[(bits >> 8) & 7]
      : (['call', 'regs', 'partial', 'end'] as const)[(bits >> 8) & 3];
    if (!type || !sp || !bp || (type === 'call' && sp === 'undefined')) return undefined;
    return {
      type,
      sp: { base: sp, offset: this.#entries.readInt16LE(at) },
      bp: { base: bp, offset: this.#entries.readInt16LE(at + 2) },
    };
  }
}
