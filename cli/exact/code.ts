import { lastUpTo } from '../kernel/by-address.js';
import type { Orc } from '../kernel/orc.js';
import type { GuestModule } from './guest-modules.js';
import type { KernelTables } from './kernel-tables.js';

/** An instruction of the guest. */
export interface Place {
  /** Hexadecimal. */
  address: string;
  /** `kernel`, a module's name, or `user space`. */
  in: string;
  /** undefined if its symbol is not known. */
  function?: string | undefined;
  /** Bytes from the function's start. */
  offset?: number | undefined;
}

const KERNEL = 1n << 63n;

export const isKernelAddress = (address: bigint) => address >= KERNEL;

/** Names the guest's code, and finds how to unwind from it. */
export class GuestCode {
  constructor(
    readonly kernel: KernelTables | undefined,
    readonly modules: readonly GuestModule[],
  ) {}

  place(address: bigint): Place {
    const text = `0x${address.toString(16)}`;
    if (!isKernelAddress(address)) return { address: text, in: 'user space' };
    const module = this.#module(address);
    const functions = module ? module.functions : (this.kernel?.functions ?? []);
    const where = { address: text, in: module?.name ?? 'kernel' };
    const end = module ? module.end : this.kernel?.symbols.get('_etext');
    const found = address < (end ?? 0n) ? lastUpTo(functions, address) : undefined;
    if (!found) return where;
    return { ...where, function: found.name, offset: Number(address - found.address) };
  }

  orc(address: bigint): Orc | undefined {
    const module = this.#module(address);
    return module ? module.orc : this.kernel?.orc;
  }

  #module(address: bigint): GuestModule | undefined {
    return this.modules.find(({ start, end }) => address >= start && address < end);
  }
}
