import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { GdbAddress } from '../guest/machine.js';
import type { SymbolsEvent } from '../guest/protocol.js';
import type { FileSystemModule } from '../kernel/file-system-module.js';
import { isBuiltFromSource, type Kernel } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { shellQuote } from '../shell-quote.js';

/** QEMU's gdb stub: its address, and the commands for gdb. */

/** The stub's address, until `close` is called. */
export interface GdbPlace {
  address: GdbAddress;
  close(): Promise<void>;
}

/** Longest path of a socket, in bytes (unix(7)). */
const LONGEST_PATH = 107;

/** @param where a port of 127.0.0.1, a path, or true for a socket in a new private directory */
export async function gdbPlace(where: string | true): Promise<Outcome<GdbPlace>> {
  const none = async () => {};
  if (where === true) {
    const directory = await mkdtemp(join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), 'daxrepro-'));
    return success({
      address: { path: join(directory, 'gdb') },
      close: () => rm(directory, { recursive: true, force: true }),
    });
  }
  if (/^\d+$/.test(where)) {
    const port = Number(where);
    if (port >= 1 && port <= 65535 && (await isFree(port))) {
      return success({ address: { port }, close: none });
    }
    return failure(
      'usage',
      `--gdb ${where} is not a free port of 127.0.0.1`,
      'Give another port, or none for a socket',
    );
  }
  const path = resolve(where);
  if (!where.includes('/')) {
    return failure(
      'usage',
      `--gdb ${where} is neither a port nor a path`,
      'Give a number, or a path with a /; --gdb without a value has to come last or before another option',
    );
  }
  if (Buffer.byteLength(path) > LONGEST_PATH || existsSync(path) || !existsSync(dirname(path))) {
    return failure(
      'usage',
      `--gdb ${where}: cannot create a socket there`,
      'Give a short path that does not exist yet, in a directory that does',
    );
  }
  return success({ address: { path }, close: () => rm(path, { force: true }) });
}

/** QEMU would report a used port too late. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Commands to type into a shell and into gdb, with notes about missing symbols. */
export interface GdbHelp {
  command: string;
  /** What lacks symbols, and where to get them. */
  notes: string[];
  /** The gdb command to run once the module is loaded. */
  module: string | undefined;
}

export function gdbHelp(
  { address }: Pick<GdbPlace, 'address'>,
  kernel: Pick<Kernel, 'spec' | 'release' | 'symbols'>,
  module: FileSystemModule | undefined,
  symbols: SymbolsEvent | undefined,
): GdbHelp {
  const found = kernelSymbols(kernel);
  const target = 'path' in address ? address.path : `127.0.0.1:${address.port}`;
  const words = ['gdb', '-ex', `target remote ${target}`, ...(found.file ? [found.file] : [])];
  return {
    command: words.map(shellQuote).join(' '),
    notes: found.file ? [] : [found.why],
    module: module && symbols && addSymbolFile(module.file, symbols.sections),
  };
}

/** gdb needs the address of .text, and takes those of other sections; init sections are freed. */
const SECTIONS = /^\.(?:data|bss|rodata)$/;

function addSymbolFile(file: string, sections: string): string | undefined {
  const all = sections
    .split(' ')
    .map((one) => /^(\.[\w.]{1,60})=(0x[0-9a-f]{1,16})$/.exec(one))
    .filter((one) => one !== null)
    .map(([, name = '', address = '']) => ({ name, address }));
  const text = all.find(({ name }) => name === '.text');
  if (!text || Number(text.address) === 0) return undefined;
  const others = all.filter(({ name }) => SECTIONS.test(name));
  return [
    `add-symbol-file ${file} ${text.address}`,
    ...others.map(({ name, address }) => `-s ${name} ${address}`),
  ].join(' ');
}

/** The paths of distributions' debug packages (gdb documentation, "Separate Debug Files"). */
function kernelSymbols({ spec, release, symbols }: Pick<Kernel, 'spec' | 'release' | 'symbols'>): {
  file: string | undefined;
  why: string;
} {
  const places = [
    ...(symbols === undefined ? [] : [symbols]),
    `/usr/lib/debug/boot/vmlinux-${release}`,
    `/usr/lib/debug/lib/modules/${release}/vmlinux`,
  ];
  const why = spec.startsWith('debian:')
    ? `the package has no kernel symbols; linux-image-${release}-dbg has them, as /usr/lib/debug/boot/vmlinux-${release}`
    : isBuiltFromSource(spec)
      ? 'this build is older than the support for symbols; run `daxrepro cache clean` and build again'
      : `there is no /usr/lib/debug/boot/vmlinux-${release} with kernel symbols`;
  return { file: places.find((file) => existsSync(file)), why };
}
