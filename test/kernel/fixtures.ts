import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Small kernels, modules and packages, made by the tests: nothing is downloaded or shipped. */

interface Note {
  name: string;
  type: number;
  description: Buffer;
}

export const PVH_NOTE: Note = { name: 'Xen', type: 18, description: Buffer.alloc(8) };

/** An ELF file with one note segment, and `content` at its end. */
export function makeElf(notes: Note[], content: string | Buffer = ''): Buffer {
  const up = (size: number) => Math.ceil(size / 4) * 4;
  const noteBytes = Buffer.concat(
    notes.map(({ name, type, description }) => {
      const bytes = Buffer.alloc(12 + up(name.length + 1) + up(description.length));
      bytes.writeUInt32LE(name.length + 1, 0);
      bytes.writeUInt32LE(description.length, 4);
      bytes.writeUInt32LE(type, 8);
      bytes.write(name, 12, 'latin1');
      description.copy(bytes, 12 + up(name.length + 1));
      return bytes;
    }),
  );
  const header = Buffer.alloc(64 + 56);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeBigUInt64LE(64n, 0x20); // program headers
  header.writeUInt16LE(56, 0x36);
  header.writeUInt16LE(1, 0x38);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt32LE(4, 64); // PT_NOTE
  header.writeBigUInt64LE(BigInt(header.length), 64 + 8);
  header.writeBigUInt64LE(BigInt(noteBytes.length), 64 + 0x20);
  header.writeBigUInt64LE(4n, 64 + 0x30);
  return Buffer.concat([header, noteBytes, Buffer.from(content)]);
}

/** A vmlinux that contains its release as a real one does. */
export function makeVmlinux(release: string, notes: Note[] = [PVH_NOTE]): Buffer {
  return makeElf(notes, `\0Linux version \0Linux version ${release} (someone@somewhere) #1\0`);
}

/** Boot protocol 2.15, one sector of set-up code, then the payload. */
export function makeBzImage(release: string, payload: Buffer, setupSectors = 7): Buffer {
  const setup = Buffer.alloc((setupSectors + 1) * 512);
  setup[0x1f1] = setupSectors;
  setup.writeUInt16LE(0xaa55, 0x1fe);
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt16LE(0x20f, 0x206);
  setup.writeUInt16LE(0x400, 0x20e);
  setup.write(`${release} (someone@somewhere) #1 SMP\0`, 0x600, 'latin1');
  const stub = Buffer.alloc(100, 0x90);
  setup.writeUInt32LE(stub.length, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, stub, payload, Buffer.alloc(64, 0xcc)]);
}

/** Like the kernel's build: compressed, with the unpacked size appended. */
export function pack(vmlinux: Buffer, program: string, ...options: string[]): Buffer {
  const packed = execFileSync(program, [...options, '-c'], { input: vmlinux });
  const size = Buffer.alloc(4);
  size.writeUInt32LE(vmlinux.length);
  return Buffer.concat([packed, size]);
}

/**
 * A real, tiny module file, made by the assembler.
 *
 * @param symbols its exports and imports, which depmod reads
 */
export function makeModule(
  file: string,
  information: Record<string, string>,
  symbols: { exports?: string; imports?: string } = {},
): void {
  mkdirSync(dirname(file), { recursive: true });
  const source = ['.section .modinfo,"a"'];
  for (const [key, value] of Object.entries(information)) source.push(`.asciz "${key}=${value}"`);
  source.push('.text', symbols.imports ? `call ${symbols.imports}` : 'nop');
  if (symbols.exports) {
    source.push(`.globl __crc_${symbols.exports}`, `.set __crc_${symbols.exports}, 0x1234`);
  }
  execFileSync('as', ['-o', `${file}.o`], { input: `${source.join('\n')}\n` });
  execFileSync('ld', ['-r', '--build-id=sha1', '-o', file, `${file}.o`]);
  rmSync(`${file}.o`);
}

/** A script in `directory`, which the test then puts first in PATH. */
export function makeProgram(directory: string, name: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Writes files by their paths below `root`. */
export function writeTree(root: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** Lines of a file that a fake program writes to; none if it never ran. */
export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
