import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { readDelta } from './delta.js';
import { cutName } from './events.js';

/**
 * What is on the medium of the watched device at each cut, in their order, by pages: few of a device
 * hold anything. Images with equal fingerprints are equal.
 */
export const BASE = 'base-0.img';

const PAGE = 4096;
const PIECE = 4 * 2 ** 20;
/** Pages that follow each other are written in one go, up to so many. */
const TOGETHER = 256;

const ZERO = Buffer.alloc(PAGE);

export class Medium {
  readonly #pages = new Map<number, Buffer>();
  readonly #history: Hash = createHash('sha256');
  /** The cut that was gone to. */
  #at = 0;

  private constructor(readonly directory: string) {}

  /** As it was at BEGIN. */
  static async begin(directory: string): Promise<Medium> {
    const medium = new Medium(directory);
    const file = await open(join(directory, BASE), 'r');
    try {
      const piece = Buffer.alloc(PIECE);
      for (let at = 0; ; at += PIECE) {
        const { bytesRead } = await file.read(piece, 0, PIECE, at);
        for (let offset = 0; offset + PAGE <= bytesRead; offset += PAGE) {
          const page = piece.subarray(offset, offset + PAGE);
          if (!page.equals(ZERO)) medium.#pages.set(at + offset, Buffer.from(page));
        }
        if (bytesRead < PIECE) return medium;
      }
    } finally {
      await file.close();
    }
  }

  /** Goes on to the next cut: each has only what changed on the medium since the one before. */
  async advance(cut: number): Promise<void> {
    if (cut !== this.#at + 1) throw new RangeError(`cut ${cut} does not follow cut ${this.#at}`);
    this.#at = cut;
    const file = join(this.directory, `${cutName(cut)}.medium`);
    for await (const { offset, bytes } of readDelta(file)) {
      this.#history.update(`${offset} ${bytes.length} `).update(bytes);
      put(this.#pages, offset, bytes);
    }
  }

  /** A state of the cut that was gone to. */
  async state(state: string): Promise<{ pages: Pages; fingerprint: string }> {
    const fingerprint = this.#history.copy();
    if (state === 'nothing') return { pages: this.#pages, fingerprint: fingerprint.digest('hex') };
    const pages: Pages = new Map(this.#pages);
    for await (const { offset, bytes } of readDelta(
      join(this.directory, `${cutName(this.#at)}.${state}`),
    )) {
      fingerprint.update(`${offset} ${bytes.length} `).update(bytes);
      const page = offset - (offset % PAGE);
      // The medium's own pages stay as they are.
      pages.set(page, Buffer.from(pages.get(page) ?? ZERO));
      put(pages, offset, bytes);
    }
    return { pages, fingerprint: fingerprint.digest('hex') };
  }
}

/** By their offsets on the device, in bytes; what is not there is zero. */
export type Pages = Map<number, Buffer>;

/** Bytes may span pages, of which those that are there are changed in place. */
function put(pages: Pages, offset: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    const within = (offset + done) % PAGE;
    const at = offset + done - within;
    const page = pages.get(at) ?? Buffer.alloc(PAGE);
    done += bytes.copy(page, within, done);
    pages.set(at, page);
  }
}

/** Writes an image to a file that is all zeros there. */
export async function writePages(file: FileHandle, at: number, pages: Pages): Promise<void> {
  const offsets = [...pages.keys()].sort((a, b) => a - b);
  for (let index = 0; index < offsets.length; ) {
    const start = offsets[index] ?? 0;
    const run: Buffer[] = [];
    while (run.length < TOGETHER && offsets[index] === start + run.length * PAGE) {
      run.push(pages.get(offsets[index] ?? 0) ?? ZERO);
      index += 1;
    }
    await file.writev(run, at + start);
  }
}
