import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenFile } from './broken-file.js';
import { readDelta } from './delta.js';
import { cutName } from './events.js';

/**
 * The contents of the media of the watched devices at each cut, in the order of the cuts. They are kept by
 * page, because most pages of a device are empty. Images of a device with equal fingerprints are equal.
 */
export function baseName(device: number): string {
  return `base-${device}.img`;
}

const PAGE = 4096;
const PIECE = 4 * 2 ** 20;
/** The most adjacent pages that are written at once. */
const TOGETHER = 256;

const ZERO = Buffer.alloc(PAGE);

interface Device {
  pages: Map<number, Buffer>;
  history: Hash;
}

export class Media {
  readonly #devices: Device[] = [];
  /** The number of the current cut. */
  #at = 0;

  private constructor(readonly directory: string) {}

  /** The media at BEGIN: so many, in the order of the plugin's ranges. */
  static async begin(directory: string, devices: number): Promise<Media> {
    const media = new Media(directory);
    for (let device = 0; device < devices; device += 1) {
      const pages = await readPages(join(directory, baseName(device)));
      media.#devices.push({ pages, history: createHash('sha256') });
    }
    return media;
  }

  #device(number: number): Device {
    const device = this.#devices[number];
    if (!device) throw new BrokenFile(`what is told of range ${number} is of none that is watched`);
    return device;
  }

  /** Moves on to the next cut, whose file has only what changed on the medium since the previous one. */
  async advance(cut: number): Promise<void> {
    if (cut !== this.#at + 1) throw new RangeError(`cut ${cut} does not follow cut ${this.#at}`);
    this.#at = cut;
    const file = join(this.directory, `${cutName(cut)}.medium`);
    for await (const { range, offset, bytes } of readDelta(file)) {
      const { pages, history } = this.#device(range);
      history.update(`${offset} ${bytes.length} `).update(bytes);
      put(pages, offset, bytes);
    }
  }

  /** The first 4096 bytes of a device's medium; undefined if they are all zeros. */
  firstPage(device: number): Buffer | undefined {
    return this.#device(device).pages.get(0);
  }

  /** A device in one state of the current cut. */
  async state(device: number, state: string): Promise<{ pages: Pages; fingerprint: string }> {
    const { pages: medium, history } = this.#device(device);
    const fingerprint = history.copy();
    if (state === 'nothing') return { pages: medium, fingerprint: fingerprint.digest('hex') };
    const pages: Pages = new Map(medium);
    for await (const { range, offset, bytes } of readDelta(
      join(this.directory, `${cutName(this.#at)}.${state}`),
    )) {
      if (range !== device) continue;
      fingerprint.update(`${offset} ${bytes.length} `).update(bytes);
      const page = offset - (offset % PAGE);
      // Copied, so that the medium's own pages stay unchanged.
      pages.set(page, Buffer.from(pages.get(page) ?? ZERO));
      put(pages, offset, bytes);
    }
    return { pages, fingerprint: fingerprint.digest('hex') };
  }
}

/** Pages by their offsets on the device, in bytes. Missing pages are zeros. */
export type Pages = Map<number, Buffer>;

async function readPages(image: string): Promise<Pages> {
  const pages: Pages = new Map();
  const file = await open(image, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (let at = 0; ; at += PIECE) {
      const { bytesRead } = await file.read(piece, 0, PIECE, at);
      for (let offset = 0; offset + PAGE <= bytesRead; offset += PAGE) {
        const page = piece.subarray(offset, offset + PAGE);
        if (!page.equals(ZERO)) pages.set(at + offset, Buffer.from(page));
      }
      if (bytesRead < PIECE) return pages;
    }
  } finally {
    await file.close();
  }
}

/** Writes bytes that may span several pages. Existing pages are changed in place. */
function put(pages: Pages, offset: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    const within = (offset + done) % PAGE;
    const at = offset + done - within;
    const page = pages.get(at) ?? Buffer.alloc(PAGE);
    done += bytes.copy(page, within, done);
    pages.set(at, page);
  }
}

/** Writes an image into a part of a file that is all zeros. */
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
