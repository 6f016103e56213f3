import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { storageFailure } from '../store/store.js';

/** Opens a kept image, to give a guest a device with its contents. */

export interface OpenedImage {
  /** Of the raw image. The caller closes it. */
  descriptor: number;
  /** The device's size in bytes. */
  size: number;
}

/** The first bytes of a gzip file (RFC 1952). */
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * @param file an archive as `ImageKeeper` makes it, or a raw image; it is only read
 * @returns `unreadable` if it is neither
 */
export async function openImage(file: string, signal?: AbortSignal): Promise<Outcome<OpenedImage>> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    return unreadable(file, (error as Error).message);
  }
  const begin = Buffer.alloc(GZIP.length);
  try {
    readSync(descriptor, begin, 0, begin.length, 0);
    if (!begin.equals(GZIP)) {
      const { size } = fstatSync(descriptor);
      return size > 0 ? success({ descriptor, size }) : unreadable(file, 'it is empty', descriptor);
    }
  } catch (error) {
    return unreadable(file, (error as Error).message, descriptor);
  }
  closeSync(descriptor);
  return unpack(file, signal);
}

function unreadable(file: string, reason: string, descriptor?: number): Outcome<OpenedImage> {
  if (descriptor !== undefined) closeSync(descriptor);
  return failure(
    'unreadable',
    `This file is not a device image: ${reason}`,
    'Give an image that a run kept (image-test.tar.gz), or a raw image',
    { place: { file } },
  );
}

/** Unpacks to a file that is removed as soon as it is open, so that nothing remains however we end. */
async function unpack(
  file: string,
  signal: AbortSignal | undefined,
): Promise<Outcome<OpenedImage>> {
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(tmpdir(), 'daxrepro-'));
    // -S: holes stay holes.
    const argv = ['bsdtar', '-xSf', resolve(file)] as const;
    const unpacked = await runTool([...argv], { cwd: directory, ...(signal ? { signal } : {}) });
    if (signal?.aborted) return failure('interrupted', 'Interrupted', 'Start it again');
    if (!unpacked.ok) return unreadable(file, unpacked.summary);
    const entries = await readdir(directory, { withFileTypes: true });
    const [only, ...others] = entries;
    if (!only?.isFile() || others.length > 0)
      return unreadable(file, 'the archive does not hold exactly one file');
    const descriptor = openSync(join(directory, only.name), 'r');
    return success({ descriptor, size: fstatSync(descriptor).size });
  } catch (error) {
    return storageFailure(directory ?? tmpdir(), error);
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}
