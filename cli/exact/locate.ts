import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { findProgram } from '../system/programs.js';
import type { Byte } from './byte.js';

/** Finds a file's byte on an image of the device, with the file system's own tool. Nothing is changed. */

/** A byte of TEST_DEV. */
export interface Located {
  /** Bytes from the device's start. */
  offset: number;
  blockSize: number;
  /** The number of the block from the device's start, by which the kernel's buffers name it, and the byte in it. */
  block: number;
  byte: number;
}

export interface Image {
  fs: string;
  file: string;
}

/** The single image of an archive with one (launch/images.ts). */
export async function unpackImage(archive: string, directory: string): Promise<Outcome<string>> {
  const unpacked = await runTool(['tar', '-xSzf', archive, '-C', directory, '--no-same-owner']);
  const names = await readdir(directory);
  const [name] = names;
  if (unpacked.ok && name !== undefined && names.length === 1)
    return success(join(directory, name));
  return failure(
    'unreadable',
    `The image of TEST_DEV cannot be unpacked: ${unpacked.ok ? 'it is not one file' : unpacked.stderr.trim()}`,
    'Restore it, or name a physical address',
    { place: { file: archive } },
  );
}

export async function locate(
  wanted: Extract<Byte, { kind: 'block' | 'file' }>,
  image: Image,
): Promise<Outcome<Located>> {
  const blockSize = await readBlockSize(image);
  if (blockSize === undefined) {
    return failure(
      'usage',
      `The image of TEST_DEV has no readable superblock of ${image.fs}, so blocks and files have no place`,
      'Name a physical address',
    );
  }
  if (wanted.kind === 'block') {
    if (wanted.byte >= blockSize) {
      return failure(
        'usage',
        `--who-wrote ${wanted.block}:${wanted.byte}: a block has ${blockSize} bytes`,
        `Give a byte from 0 to ${blockSize - 1}`,
      );
    }
    const start =
      image.fs === 'xfs'
        ? await placeOfXfsBlock(image, wanted.block)
        : success(wanted.block * blockSize);
    return start.ok ? success(at(start.value + wanted.byte, blockSize)) : start;
  }
  const start = await placeOfFile(image, wanted, blockSize);
  return start.ok ? success(at(start.value + (wanted.offset % blockSize), blockSize)) : start;
}

function at(offset: number, blockSize: number): Located {
  return { offset, blockSize, block: Math.floor(offset / blockSize), byte: offset % blockSize };
}

/** ext2 and ext4: s_log_block_size of the superblock at 1024; XFS: sb_blocksize. */
async function readBlockSize({ fs, file }: Image): Promise<number | undefined> {
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(2048);
    await handle.read(bytes, 0, bytes.length, 0);
    if (fs === 'xfs') {
      return bytes.toString('latin1', 0, 4) === 'XFSB' ? sane(bytes.readUInt32BE(4)) : undefined;
    }
    if (bytes.readUInt16LE(1024 + 56) !== 0xef53) return undefined;
    return sane(1024 << Math.min(bytes.readUInt32LE(1024 + 24), 10));
  } finally {
    await handle.close();
  }
}

const sane = (size: number) =>
  size >= 512 && size <= 65536 && (size & (size - 1)) === 0 ? size : undefined;

async function placeOfFile(
  image: Image,
  { file, offset }: Extract<Byte, { kind: 'file' }>,
  blockSize: number,
): Promise<Outcome<number>> {
  const block = Math.floor(offset / blockSize);
  const inode = /^<(\d+)>$/.exec(file)?.[1];
  if (image.fs === 'xfs') return placeOfXfsFile(image, { file, offset, inode, block });
  const name = inode === undefined ? `/${file.replace(/^\/+/, '')}` : file;
  const said = await ask(['debugfs', '-c', '-R', `bmap "${name}" ${block}`, image.file]);
  if (!said.ok) return said;
  const found = Number(/^(\d+)\s*$/m.exec(said.value)?.[1] ?? 0);
  return found > 0 ? success(found * blockSize) : noBlock(file, offset, said.value);
}

/** xfs_db(8) knows no quotes, so names with blanks cannot be given. The whole map is asked for. */
async function placeOfXfsFile(
  image: Image,
  wanted: { file: string; offset: number; inode: string | undefined; block: number },
): Promise<Outcome<number>> {
  const { file, offset, inode, block } = wanted;
  if (/\s/.test(file)) return noBlock(file, offset, 'xfs_db takes no names with blanks');
  const select = inode === undefined ? `path /${file.replace(/^\/+/, '')}` : `inode ${inode}`;
  const said = await ask(['xfs_db', '-r', '-c', select, '-c', 'bmap -d', image.file]);
  if (!said.ok) return said;
  for (const line of said.value.matchAll(/^data offset (\d+) startblock (\d+) \S+ count (\d+)/gm)) {
    const [first = 0, start = 0, count = 0] = line.slice(1).map(Number);
    // A file's blocks that follow each other do so within an allocation group.
    if (block >= first && block < first + count) {
      return placeOfXfsBlock(image, start + (block - first));
    }
  }
  return noBlock(file, offset, said.value.startsWith('data offset') ? '' : said.value);
}

/** XFS numbers its blocks by allocation group. A daddr is a place in units of 512 bytes. */
async function placeOfXfsBlock({ file }: Image, block: number): Promise<Outcome<number>> {
  const said = await ask(['xfs_db', '-r', '-c', `convert fsblock ${block} daddr`, file]);
  if (!said.ok) return said;
  const sectors = /\((\d+)\)/.exec(said.value)?.[1];
  if (sectors !== undefined) return success(Number(sectors) * 512);
  return failure(
    'usage',
    `Block ${block} is not one of this XFS file system: ${said.value.trim().slice(0, 200)}`,
    'Give a block as xfs_db prints it (fsblock)',
  );
}

function noBlock(file: string, offset: number, said: string): Outcome<never> {
  const why = said.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return failure(
    'usage',
    `On the image of TEST_DEV, ${file} has no block at offset ${offset}${why === '' || why === '0' ? '' : `: ${why}`}`,
    'Name the block, or an inode as "<N>:OFFSET": a name may be lost while the inode is not',
  );
}

async function ask([program, ...rest]: [string, ...string[]]): Promise<Outcome<string>> {
  const path = findProgram(program) ?? findProgram(program, '/usr/sbin:/sbin');
  if (path === undefined) {
    return failure(
      'program-missing',
      `There is no ${program}, which finds files on the image of TEST_DEV`,
      '`daxrepro setup` installs what is missing; or name a physical address',
    );
  }
  const said = await runTool([path, ...rest], { timeout: 60_000 });
  return success(`${said.stdout}\n${said.stderr}`);
}
