import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { type Outcome, success } from '../outcome.js';
import { tool } from '../process/tool.js';
import { type BzImage, readBzImage } from './bzimage.js';
import { readElf } from './elf.js';

/**
 * Extracts the vmlinux from a bzImage if QEMU can enter it directly. Under emulation a guest takes
 * 5 s to unpack itself; the host takes less than a second, once.
 */

/**
 * How the kernel's build compresses its payload: the first bytes, and the program that unpacks it
 * to stdout.
 */
const COMPRESSIONS: readonly { magic: string; program: readonly string[] | 'gzip' }[] = [
  { magic: '1f8b', program: 'gzip' },
  { magic: 'fd377a585a00', program: ['xz', '-dc', '--single-stream'] },
  { magic: '28b52ffd', program: ['zstd', '-dcq'] },
  { magic: '02214c18', program: ['lz4', '-dcq'] },
  { magic: '425a68', program: ['bzip2', '-dcq'] },
  { magic: '5d0000', program: ['xz', '--format=lzma', '-dc'] },
  { magic: '894c5a4f', program: ['lzop', '-dcq'] },
];

/**
 * Writes the vmlinux in `bzImage` to `output`. Leaves nothing in `output` if QEMU cannot enter the
 * vmlinux or the host lacks the program to unpack it; the bzImage boots all the same.
 */
export async function extractVmlinux(
  bzImage: string,
  output: string,
  signal?: AbortSignal,
): Promise<Outcome<unknown>> {
  const image = await readBzImage(bzImage);
  const payload = image && (await readPayload(bzImage, image));
  if (!payload) return success(undefined);
  const unpacked = await unpack(payload, output, signal);
  if (!unpacked.ok) return unpacked;
  if (!unpacked.value || !hasPvhEntry(await readFile(output))) await rm(output, { force: true });
  return success(undefined);
}

/** The entry point of the PVH boot protocol (the kernel's include/xen/interface/elfnote.h). */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** Whether QEMU's `-kernel` can start this vmlinux. */
export function hasPvhEntry(vmlinux: Buffer): boolean {
  const notes = readElf(vmlinux)?.notes ?? [];
  return notes.some(({ name, type }) => name === 'Xen' && type === XEN_ELFNOTE_PHYS32_ENTRY);
}

async function readPayload(bzImage: string, image: BzImage): Promise<Buffer | undefined> {
  if (!image.payload) return undefined;
  const handle = await open(bzImage);
  try {
    const bytes = Buffer.alloc(Math.min(image.payload.size, (await handle.stat()).size));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, image.payload.start);
    return bytesRead < 8 ? undefined : bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** @returns whether `output` holds all of it */
async function unpack(
  payload: Buffer,
  output: string,
  signal?: AbortSignal,
): Promise<Outcome<boolean>> {
  const compression = COMPRESSIONS.find(({ magic }) =>
    payload.subarray(0, magic.length / 2).equals(Buffer.from(magic, 'hex')),
  );
  if (!compression) return success(false);
  if (compression.program === 'gzip') {
    const vmlinux = gunzip(payload);
    if (vmlinux) await writeFile(output, vmlinux);
    return success(vmlinux !== undefined);
  }
  // The build appends the unpacked size. gzip's own format ends with it.
  const size = payload.readUInt32LE(payload.length - 4);
  const packed = `${output}.packed`;
  await writeFile(packed, payload.subarray(0, -4));
  const script = 'in=$1; out=$2; shift 2; exec "$@" <"$in" >"$out"';
  const result = await tool(
    ['sh', '-c', script, 'sh', packed, output, ...compression.program],
    { cannot: 'Cannot unpack the kernel image' },
    signal ? { signal } : {},
  );
  await rm(packed);
  const { size: written } = await stat(output);
  // The exit code is not enough: programs treat bytes after the end differently.
  if (written === size) return success(true);
  const ours = !result.ok && ['interrupted', 'storage'].includes(result.failure.kind);
  return ours ? result : success(false);
}

function gunzip(payload: Buffer): Buffer | undefined {
  try {
    return gunzipSync(payload);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) return undefined;
    throw error;
  }
}
