import { readFile } from 'node:fs/promises';
import type { CodePlace } from '../findings/finding.js';
import { lastUpTo, sortByAddress } from '../kernel/by-address.js';
import { readElf } from '../kernel/elf.js';

/** Finds names of functions by the addresses of their instructions. */

/** Sorted by address. */
export type Symbols = { address: bigint; name: string }[];

const FUNCTION = 2;
const SYMBOL_SIZE = 24;
/** The symbol-table section of other ELF files. */
const UNDEFINED = 0;

/** The functions of an ELF file, or of one of its sections (elf(5), Elf64_Sym). */
export function elfSymbols(file: Buffer, section?: string): Symbols {
  const elf = readElf(file);
  const table = elf?.sections.get('.symtab');
  const names = elf?.sections.get('.strtab');
  if (!elf || !table || !names) return [];
  const wanted = section === undefined ? undefined : [...elf.sections.keys()].indexOf(section);
  const symbols: Symbols = [];
  for (let at = 0; at + SYMBOL_SIZE <= table.length; at += SYMBOL_SIZE) {
    if ((table.readUInt8(at + 4) & 15) !== FUNCTION) continue;
    const place = table.readUInt16LE(at + 6);
    if (place === UNDEFINED || (wanted !== undefined && place !== wanted)) continue;
    const from = table.readUInt32LE(at);
    const name = names.toString('latin1', from, names.indexOf(0, from));
    symbols.push({ address: table.readBigUInt64LE(at + 8), name });
  }
  return sortByAddress(symbols);
}

/** The kernel's functions, as guest-scripts/lib/survivors.sh sends them: the address's last eight digits. */
export function kernelSymbols(text: string): Symbols {
  return sortByAddress(
    [...text.matchAll(/^([0-9a-f]{8}) (\S+)$/gm)].map(([, digits, name]) => ({
      address: BigInt(`0xffffffff${digits}`),
      name: name ?? '',
    })),
  );
}

/** The function that contains an address. */
export function nameOf(symbols: Symbols, address: bigint): string | undefined {
  // Compilers split functions into parts with suffixes: `x.cold`, `x.isra.0`.
  return lastUpTo(symbols, address)?.name.replace(/\.(?:cold|isra|constprop|part)\b.*$/, '');
}

export interface LoadedModule {
  name: string;
  start: bigint;
  size: bigint;
}

/** /proc/modules, as root reads it (proc(5)). */
export function loadedModules(text: string): LoadedModule[] {
  return [...text.matchAll(/^(\w+) (\d+) \d+ \S+ \w+ 0x([0-9a-f]+)/gm)].map(
    ([, name, size, start]) => ({
      name: name ?? '',
      size: BigInt(size ?? 0),
      start: BigInt(`0x${start}`),
    }),
  );
}

/** Where a guest's kernel starts, which KASLR changes at each boot: from its line in /proc/kallsyms. */
export function kernelText(text: string): bigint | undefined {
  const [, digits] = /^([0-9a-f]{16}) \S _text$/m.exec(text) ?? [];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

export interface SymbolSources {
  /** The guest's program that makes the marks. */
  program: { name: string; file: string } | undefined;
  modules: readonly LoadedModule[];
  /** The file of a module; undefined if it is not known. */
  moduleFile: (name: string) => string | undefined;
  /** The kernel's symbols. Called once, and only if an address in the kernel has to be named. */
  kernel: () => Promise<Symbols>;
  /** Where the kernel started in the guest with these addresses. Its symbols come from another boot. */
  text?: bigint | undefined;
}

export class Symbolizer {
  readonly #tables = new Map<string, Promise<Symbols>>();

  constructor(readonly sources: SymbolSources) {}

  async place(site: { address: string; kernel: boolean; cpu: number }): Promise<CodePlace> {
    const { cpu, address } = site;
    const at = BigInt(address);
    const { program, modules, moduleFile, kernel, text } = this.sources;
    if (!site.kernel) {
      const name = program && nameOf(await this.#table(program.file), at);
      return { address, cpu, in: program?.name ?? 'a program', function: name };
    }
    const module = modules.find(({ start, size }) => at >= start && at < start + size);
    if (!module) {
      const asked = this.#tables.get('') ?? kernel();
      this.#tables.set('', asked);
      const table = await asked;
      const begin = table.find(({ name }) => name === '_text')?.address ?? text;
      const moved = begin === undefined || text === undefined ? 0n : text - begin;
      return { address, cpu, in: 'kernel', function: nameOf(table, at - moved) };
    }
    const file = moduleFile(module.name);
    const table = file === undefined ? [] : await this.#table(file, '.text');
    return { address, cpu, in: module.name, function: nameOf(table, at - module.start) };
  }

  #table(file: string, section?: string): Promise<Symbols> {
    const table =
      this.#tables.get(file) ?? readFile(file).then((content) => elfSymbols(content, section));
    this.#tables.set(file, table);
    return table;
  }
}
