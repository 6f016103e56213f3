import { open, readFile } from 'node:fs/promises';
import type { MtreeEntry } from './mtree.js';

/**
 * Writes "newc" cpio archives (Documentation/driver-api/early-userspace/buffer-format.rst). Equal content makes equal
 * archives on every machine: no time, owner, inode number or link count of a file gets into them. bsdtar 3.6 copies
 * the last two, and the kernel takes files with the same inode number and several links for one file.
 */

const TYPES = { dir: 0o040000, link: 0o120000, char: 0o020000, file: 0o100000 } as const;

/** Archives are padded like those of other programs, so that they can be joined. */
const BLOCK = 512;

/** Rejects if a file cannot be read or the archive cannot be written. */
export async function writeNewc(entries: readonly MtreeEntry[], archive: string): Promise<void> {
  const handle = await open(archive, 'w');
  try {
    let written = 0;
    const write = async (part: Buffer) => {
      // Unlike `write`, which may write less.
      await handle.writeFile(part);
      written += part.length;
    };
    for (const [index, entry] of entries.entries()) {
      const content = await contentOf(entry);
      await write(headerOf(entry, index + 1, content.length));
      await write(content);
      await write(padding(content.length, 4));
    }
    await write(header({ name: 'TRAILER!!!', inode: 0, mode: 0, size: 0 }));
    await write(padding(written, BLOCK));
  } finally {
    await handle.close();
  }
}

async function contentOf(entry: MtreeEntry): Promise<Buffer> {
  if (entry.type === 'file') return readFile(entry.content);
  return Buffer.from(entry.type === 'link' ? entry.target : '');
}

function headerOf(entry: MtreeEntry, inode: number, size: number): Buffer {
  const mode = TYPES[entry.type] | permissionsOf(entry);
  const device = entry.type === 'char' ? [entry.major, entry.minor] : [];
  return header({ name: entry.path, inode, mode, size, device });
}

function permissionsOf(entry: MtreeEntry): number {
  switch (entry.type) {
    case 'dir':
      return 0o755;
    case 'link':
      return 0o777;
    case 'char':
      return 0o600;
    case 'file':
      return entry.mode;
  }
}

interface Header {
  name: string;
  inode: number;
  mode: number;
  size: number;
  /** Major and minor number. */
  device?: readonly number[];
}

function header({ name, inode, mode, size, device: [major = 0, minor = 0] = [] }: Header): Buffer {
  const bytes = Buffer.from(`${name}\0`);
  const [uid, gid, links, time, check] = [0, 0, 1, 0, 0];
  const place = [0, 0];
  const fields = [
    ...[inode, mode, uid, gid, links, time, size],
    ...[...place, major, minor, bytes.length, check],
  ];
  const text = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const start = Buffer.concat([Buffer.from(`070701${text}`), bytes]);
  return Buffer.concat([start, padding(start.length, 4)]);
}

function padding(length: number, unit: number): Buffer {
  return Buffer.alloc((unit - (length % unit)) % unit);
}
