import { open } from 'node:fs/promises';

/**
 * The x86 boot image. Format: the kernel's Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
 * Header". All numbers are little-endian.
 */
export interface BzImage {
  /** The first word of the kernel's version string: `6.1.0-56-amd64`. */
  release: string;
  /** Where in the file the compressed vmlinux is; absent before boot protocol 2.08. Bytes. */
  payload?: { start: number; size: number };
}

/** undefined if the file is not such an image. */
export async function readBzImage(file: string): Promise<BzImage | undefined> {
  const handle = await open(file);
  try {
    const start = Buffer.alloc(0x8000);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    return parseBzImage(start.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** @param start the file's first bytes; 32 KiB hold the whole real-mode part */
export function parseBzImage(start: Buffer): BzImage | undefined {
  if (start.length < 0x264) return undefined;
  if (start.readUInt16LE(0x1fe) !== 0xaa55 || start.toString('latin1', 0x202, 0x206) !== 'HdrS') {
    return undefined;
  }
  const versionAt = start.readUInt16LE(0x20e) + 0x200;
  const versionEnd = start.indexOf(0, versionAt);
  if (versionEnd < 0) return undefined;
  const release = start.toString('latin1', versionAt, versionEnd).split(' ')[0] ?? '';
  // The release becomes part of paths.
  if (!isRelease(release)) return undefined;
  if (start.readUInt16LE(0x206) < 0x208) return { release };
  // 0 means 4, for compatibility with very old loaders.
  const setupSectors = start[0x1f1] || 4;
  return {
    release,
    payload: {
      start: (setupSectors + 1) * 512 + start.readUInt32LE(0x248),
      size: start.readUInt32LE(0x24c),
    },
  };
}

/** Whether `uname -r` could print this: `6.1.0-56-amd64`. */
export function isRelease(text: string): boolean {
  return /^\d+\.\d+[\w.+~:-]*$/.test(text);
}
