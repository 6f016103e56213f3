/**
 * A frame on the terminal port of a session: a letter, the length of the payload (32 bits, big-endian),
 * and the payload. guest-scripts/lib/terminal.pl explains the letters.
 */
export interface Frame {
  letter: string;
  bytes: Buffer;
}

/** Bytes. The guest sends at most half of this per frame. */
const LONGEST = 64 * 1024;

const HEAD = 5;

export function encodeFrame(letter: string, bytes: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD);
  head.write(letter, 0, 'latin1');
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Tells the guest the size of the window. */
export function sizeFrame({
  rows = 24,
  columns = 80,
}: {
  rows?: number;
  columns?: number;
}): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(rows & 0xffff, 0);
  bytes.writeUInt16BE(columns & 0xffff, 2);
  return encodeFrame('s', bytes);
}

/** Reassembles frames from the port's bytes. The guest is not trusted. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns undefined on an invalid frame; everything after it is invalid too */
  push(chunk: Uint8Array): Frame[] | undefined {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (this.#rest.length >= HEAD) {
      const length = this.#rest.readUInt32BE(1);
      if (length > LONGEST) return undefined;
      if (this.#rest.length < HEAD + length) break;
      frames.push({
        letter: this.#rest.toString('latin1', 0, 1),
        bytes: this.#rest.subarray(HEAD, HEAD + length),
      });
      this.#rest = this.#rest.subarray(HEAD + length);
    }
    return frames;
  }
}
