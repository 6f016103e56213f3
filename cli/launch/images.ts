import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilePiece } from '../guest/protocol.js';
import { runTool } from '../process/child.js';

/**
 * Keeps images of devices with findings, as they were before any repair. The guest sends the parts
 * that are not zero; they become a sparse file, then an archive.
 */

/** How much of our disk all images of a run may take together. */
export class ImageBudget {
  #left: number;

  /** @param bytes 0: no image is kept */
  constructor(readonly bytes: number) {
    this.#left = bytes;
  }

  get left(): number {
    return this.#left;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

export interface KeptImage {
  device: string;
  /** A compressed tar archive of the sparse image, in the unit's directory. */
  file?: string | undefined;
  /** Size of the archive. */
  bytes?: number | undefined;
  /** Why it is missing: one clause without the full stop. */
  missing?: string | undefined;
}

interface Coming {
  descriptor: number;
  written: number;
  missing: string | undefined;
}

/** TEST_DEV and SCRATCH_DEV; xfstests' check may find problems several times. */
const MOST_IMAGES = 4;

/**
 * The images of one unit. The guest is not trusted: it gets no more than the budget and the
 * device's size.
 */
export class ImageKeeper {
  readonly #coming = new Map<string, Coming>();
  readonly #ended: { name: string; device: string; whole: boolean }[] = [];

  constructor(
    readonly directory: string,
    readonly deviceSize: number,
    readonly budget: ImageBudget,
  ) {}

  piece({ name, data, offset = 0 }: FilePiece): void {
    const image = this.#coming.get(name) ?? this.#begin(name);
    if (!image || image.missing !== undefined) return;
    if (offset + data.length > this.deviceSize) {
      this.#giveUp(image, 'the guest sent more than the device holds');
    } else if (this.budget.take(data.length)) {
      image.written += data.length;
      try {
        writeSync(image.descriptor, data, 0, data.length, offset);
      } catch (error) {
        this.#giveUp(image, `it could not be written: ${(error as Error).message}`);
      }
    } else {
      this.#giveUp(image, TOO_LARGE);
    }
  }

  #begin(name: string): Coming | undefined {
    if (this.#coming.size === MOST_IMAGES) return undefined;
    let image: Coming = { descriptor: -1, written: 0, missing: undefined };
    try {
      image = { ...image, descriptor: openSync(this.#raw(name), 'wx') };
      ftruncateSync(image.descriptor, this.deviceSize);
    } catch (error) {
      // An image that cannot be kept does not change the unit's result.
      image.missing = `it could not be written: ${(error as Error).message}`;
    }
    this.#coming.set(name, image);
    return image;
  }

  #giveUp(image: Coming, reason: string): void {
    image.missing = reason;
    this.budget.giveBack(image.written);
    image.written = 0;
    try {
      ftruncateSync(image.descriptor, 0);
    } catch {}
  }

  #raw(name: string): string {
    return join(this.directory, `${name}.raw`);
  }

  /** The guest's message at the end of an image. */
  end(name: string, device: string, whole: boolean): void {
    if (this.#ended.length < MOST_IMAGES) this.#ended.push({ name, device, whole });
  }

  /** Archives the images after the guest has ended. Leaves only complete ones. */
  async pack(signal?: AbortSignal): Promise<KeptImage[]> {
    const kept: KeptImage[] = [];
    for (const { name, device, whole } of this.#ended) {
      const image = this.#coming.get(name);
      const missing =
        image?.missing ?? (whole ? (image ? undefined : 'the guest sent no image') : TOO_LARGE);
      kept.push(
        image && missing === undefined
          ? { device, ...(await this.#archive(name, image, signal)) }
          : { device, missing: missing ?? TOO_LARGE },
      );
    }
    for (const [name, { descriptor, written }] of this.#coming) {
      if (descriptor >= 0) closeSync(descriptor);
      this.budget.giveBack(written);
      await rm(this.#raw(name), { force: true });
    }
    this.#coming.clear();
    return kept;
  }

  async #archive(
    name: string,
    image: Coming,
    signal: AbortSignal | undefined,
  ): Promise<Pick<KeptImage, 'file' | 'bytes' | 'missing'>> {
    const file = `${name}.tar.gz`;
    // pax supports sparse files: GNU tar and bsdtar restore the holes.
    const argv = ['bsdtar', '--format=pax', '-czf', file, '-C', '.', `${name}.raw`] as const;
    const packed = await runTool([...argv], {
      cwd: this.directory,
      ...(signal ? { signal } : {}),
    });
    if (!packed.ok) {
      await rm(join(this.directory, file), { force: true });
      return { missing: `it could not be packed: ${packed.summary}` };
    }
    const { size } = await stat(join(this.directory, file));
    this.budget.giveBack(image.written);
    image.written = 0;
    this.budget.take(Math.min(size, this.budget.left));
    return { file, bytes: size };
  }
}

const TOO_LARGE = 'it exceeds the limit that --keep-images sets';
