import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { BrokenFile } from './broken-file.js';

/**
 * A piece of an image in the form of power-cut/plugin/output.c: `DAXRCUT1`, then records. Each record has the
 * range's number and the length (32 bits each), the offset (64 bits), all little-endian, and the bytes. A
 * record of range 0xffffffff ends the file.
 */
export interface DeltaRecord {
  range: number;
  /** Bytes from the start of the range. */
  offset: number;
  bytes: Buffer;
}

const MAGIC = 'DAXRCUT1';
const HEADER = 16;
const END = 0xffffffff;
/** The plugin writes pages and lines. */
const LONGEST = 1024 * 1024;
const BUFFER = 1024 * 1024;

/** The records of a file. Throws `BrokenFile` if the file is incomplete or malformed. */
export async function* readDelta(path: string): AsyncGenerator<DeltaRecord> {
  const file = await open(path, 'r');
  try {
    const reader = new Reader(path, file);
    if ((await reader.take(MAGIC.length)).toString('latin1') !== MAGIC) {
      throw new BrokenFile(`${path} is no delta of a power cut`);
    }
    for (;;) {
      const header = await reader.take(HEADER);
      const range = header.readUInt32LE(0);
      if (range === END) return;
      const length = header.readUInt32LE(4);
      const offset = Number(header.readBigUInt64LE(8));
      if (length > LONGEST) throw new BrokenFile(`${path} has a record of ${length} bytes`);
      yield { range, offset, bytes: await reader.take(length) };
    }
  } finally {
    await file.close();
  }
}

class Reader {
  #buffer = Buffer.alloc(0);

  constructor(
    readonly path: string,
    readonly file: FileHandle,
  ) {}

  async take(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) {
      const more = Buffer.allocUnsafe(BUFFER);
      const { bytesRead } = await this.file.read(more, 0, BUFFER);
      if (bytesRead === 0) throw new BrokenFile(`${this.path} ends within a record`);
      this.#buffer = Buffer.concat([this.#buffer, more.subarray(0, bytesRead)]);
    }
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }
}
