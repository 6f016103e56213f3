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

/** QEMU's gdb stub: where it listens, and what a debugger is told. */

/** Where the stub listens until `close` is called. */
export interface GdbPlace {
  address: GdbAddress;
  close(): Promise<void>;
}

/** Bytes of a socket's path (unix(7)). */
const LONGEST_PATH = 107;

/** @param where a port of 127.0.0.1, a path, or true for a socket in a directory that is ours alone */
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
      `--gdb ${where}: that is no port of 127.0.0.1 that is free`,
      'Give another one, or none at all for a socket',
    );
  }
  const path = resolve(where);
  if (!where.includes('/')) {
    return failure(
      'usage',
      `--gdb ${where} is neither a port nor a path`,
      'Give a number, or a path with a /; without one, --gdb has to come last or before another option',
    );
  }
  if (Buffer.byteLength(path) > LONGEST_PATH || existsSync(path) || !existsSync(dirname(path))) {
    return failure(
      'usage',
      `--gdb ${where}: no socket can be made there`,
      'Give a short path that is not there yet, in a directory that is',
    );
  }
  return success({ address: { path }, close: () => rm(path, { force: true }) });
}

/** QEMU says too late that it is not. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** What is typed into a shell, and then into gdb; sentences about symbols in between. */
export interface GdbHelp {
  command: string;
  /** What there are no symbols for, and where they could come from. */
  notes: string[];
  /** Once the module is loaded. */
  module: string | undefined;
}

export function gdbHelp(
  { address }: GdbPlace,
  kernel: Kernel,
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

/** gdb wants the address of .text, and takes those of others; none of those that are freed. */
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

/** As distributions' packages of debugging symbols have it (gdb's documentation, "Separate Debug Files"). */
function kernelSymbols({ spec, release, symbols }: Kernel): {
  file: string | undefined;
  why: string;
} {
  const places = [
    ...(symbols === undefined ? [] : [symbols]),
    `/usr/lib/debug/boot/vmlinux-${release}`,
    `/usr/lib/debug/lib/modules/${release}/vmlinux`,
  ];
  const why = spec.startsWith('debian:')
    ? `the package has no symbols of the kernel itself; linux-image-${release}-dbg has them, as /usr/lib/debug/boot/vmlinux-${release}`
    : isBuiltFromSource(spec)
      ? 'this build was made before symbols were kept; `daxrepro cache clean` and a new build have them'
      : `no symbols of this kernel are in /usr/lib/debug/boot/vmlinux-${release}`;
  return { file: places.find((file) => existsSync(file)), why };
}
