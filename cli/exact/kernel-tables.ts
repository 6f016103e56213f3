import { readFile } from 'node:fs/promises';
import { Btf } from '../kernel/btf.js';
import { sortByAddress } from '../kernel/by-address.js';
import { readElf } from '../kernel/elf.js';
import { type KernelSymbol, readKallsyms } from '../kernel/kallsyms.js';
import { Orc } from '../kernel/orc.js';

/** What the recorded kernel's own file says about its code and its data. */
export interface KernelTables {
  symbols: ReadonlyMap<string, bigint>;
  /** Functions, sorted by address. */
  functions: readonly KernelSymbol[];
  /** undefined if the kernel was built without. */
  types: Btf | undefined;
  orc: Orc | undefined;
  /** Whether its tables for unwinding have a header; so do those of its modules. */
  orcHeader: boolean;
}

/**
 * @param kernel the file that QEMU started. A vmlinux runs where it was linked to run; a bzImage chooses a place.
 * @returns undefined if the file is not a vmlinux, or has no table of symbols
 */
export async function readKernelTables(kernel: string): Promise<KernelTables | undefined> {
  const elf = readElf(await readFile(kernel));
  const data = elf?.sections.get('.rodata');
  const symbols = data && readKallsyms(data, elf?.addresses.get('.rodata') ?? 0n);
  if (!elf || !symbols) return undefined;
  const orcHeader = elf.sections.has('.orc_header');
  const [offsets, entries] = ['.orc_unwind_ip', '.orc_unwind'].map((one) => elf.sections.get(one));
  const at = elf.addresses.get('.orc_unwind_ip');
  return {
    symbols: new Map(symbols.map(({ name, address }) => [name, address])),
    functions: sortByAddress(symbols.filter(({ type }) => /^[tw]$/i.test(type))),
    types: Btf.read(elf.sections.get('.BTF')),
    orc: offsets && entries && at ? new Orc({ offsets, entries, at }, orcHeader) : undefined,
    orcHeader,
  };
}
