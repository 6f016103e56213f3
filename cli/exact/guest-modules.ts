import { sortByAddress } from '../kernel/by-address.js';
import type { KernelSymbol } from '../kernel/kallsyms.js';
import { Orc } from '../kernel/orc.js';
import type { GuestMemory } from './guest-memory.js';
import type { KernelTables } from './kernel-tables.js';

/** A module as the stopped guest has it in its memory. */
export interface GuestModule {
  name: string;
  start: bigint;
  end: bigint;
  functions: readonly KernelSymbol[];
  orc: Orc | undefined;
}

/** Limits for what a guest may make us read. */
const MOST_MODULES = 500;
const MOST_SYMBOLS = 200_000;
const MOST_STRINGS = 8 * 2 ** 20;

const FUNCTION = 2;
const SYMBOL_SIZE = 24;

/** Where members of struct module are (include/linux/module.h): `mem` replaced `core_layout` in 6.4. */
function layoutOf({ types }: KernelTables) {
  const at = (...path: string[]) => types?.offsetOf('module', ...path);
  const layout = {
    list: at('list'),
    name: at('name'),
    base: at('mem', 'base') ?? at('core_layout', 'base'),
    size: at('mem', 'size') ?? at('core_layout', 'size'),
    kallsyms: at('kallsyms'),
    count: at('arch', 'num_orcs'),
    entries: at('arch', 'orc_unwind'),
    offsets: at('arch', 'orc_unwind_ip'),
  };
  const known = Object.values(layout).every((value) => value !== undefined);
  return known ? (layout as Record<keyof typeof layout, number>) : undefined;
}

/** The loaded modules; none if the kernel does not describe its types. */
export async function guestModules(
  memory: GuestMemory,
  tables: KernelTables,
): Promise<GuestModule[]> {
  const head = tables.symbols.get('modules');
  const layout = layoutOf(tables);
  const modules: GuestModule[] = [];
  if (head === undefined || !layout) return modules;
  const list = BigInt(layout.list);
  let next = await memory.number(head);
  while (next !== undefined && next !== head && modules.length < MOST_MODULES) {
    const one = await readModule(memory, next - list, layout, tables);
    if (one) modules.push(one);
    next = await memory.number(next);
  }
  return modules;
}

async function readModule(
  memory: GuestMemory,
  at: bigint,
  layout: NonNullable<ReturnType<typeof layoutOf>>,
  tables: KernelTables,
): Promise<GuestModule | undefined> {
  const size = tables.types?.sizeOf('module') ?? 0;
  const bytes = await memory.read(at, size);
  if (!bytes) return undefined;
  const name = bytes.toString('latin1', layout.name, bytes.indexOf(0, layout.name));
  const start = bytes.readBigUInt64LE(layout.base);
  const end = start + BigInt(bytes.readUInt32LE(layout.size));
  const symbols = await readSymbols(memory, bytes.readBigUInt64LE(layout.kallsyms));
  const count = bytes.readUInt32LE(layout.count);
  const offsetsAt = bytes.readBigUInt64LE(layout.offsets);
  const known = count > 0 && count < 1_000_000;
  const offsets = known ? await memory.read(offsetsAt, count * 4) : undefined;
  const entries = known
    ? await memory.read(bytes.readBigUInt64LE(layout.entries), count * 6)
    : undefined;
  const functions = sortByAddress(
    symbols.filter(({ address }) => address >= start && address < end),
  );
  const orc = offsets && entries && new Orc({ offsets, entries, at: offsetsAt }, tables.orcHeader);
  return { name, start, end, functions, orc };
}

/** Its symbols, as elf(5) has them (struct mod_kallsyms: symbols, their number, their names). */
async function readSymbols(memory: GuestMemory, at: bigint): Promise<KernelSymbol[]> {
  const head = await memory.read(at, 24);
  if (!head) return [];
  const count = head.readUInt32LE(8);
  if (count > MOST_SYMBOLS) return [];
  const table = await memory.read(head.readBigUInt64LE(0), count * SYMBOL_SIZE);
  if (!table) return [];
  const all = Array.from({ length: count }, (_, index) => index * SYMBOL_SIZE);
  const last = Math.max(0, ...all.map((one) => table.readUInt32LE(one)));
  if (last > MOST_STRINGS) return [];
  // The last name's end is not known; names are not longer than this.
  const names =
    (await memory.read(head.readBigUInt64LE(16), last + 512)) ??
    (await memory.read(head.readBigUInt64LE(16), last + 1));
  if (!names) return [];
  return all
    .filter((one) => (table.readUInt8(one + 4) & 15) === FUNCTION)
    .map((one) => {
      const from = table.readUInt32LE(one);
      const name = names.toString('latin1', from, Math.max(from, names.indexOf(0, from)));
      return { address: table.readBigUInt64LE(one + 8), type: 't', name };
    });
}
