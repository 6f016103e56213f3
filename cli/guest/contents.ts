import { read } from 'node:fs';
import { promisify } from 'node:util';

/**
 * What a guest's device holds before anything is mounted from it. It goes over the channel, where the
 * guest writes it to the device (guest-scripts/lib/contents.pl): that is the same for every kind of
 * persistent memory, and for clones, whose devices may lie in the memory that they share.
 */

/** Some of a device's bytes. */
export interface Extent {
  /** Bytes from the device's begin. */
  offset: number;
  data: Uint8Array;
}

/** Extents in any order; what none of them covers is zero. */
export type DeviceContents = AsyncIterable<Extent> | Iterable<Extent>;

/** The contents as the guest reads them: see guest-scripts/lib/contents.pl. */
export async function* encodeContents(contents: DeviceContents): AsyncGenerator<Uint8Array> {
  for await (const { offset, data } of contents) {
    // One of no length would be the end.
    if (data.length === 0) continue;
    yield extentHead(offset, data.length);
    yield data;
  }
  yield extentHead(0, 0);
}

function extentHead(offset: number, length: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(offset), 0);
  head.writeBigUInt64LE(BigInt(length), 8);
  return head;
}

/** Bytes: what is read at once, and what is looked at for zeros. */
const PIECE = 1 << 20;
const PAGE = 4096;

const ZEROS = Buffer.alloc(PIECE);

const readPiece = promisify(read);

/** What of a file is not zero, page by page. The file stays open; errors of reading it are thrown. */
export async function* extentsOfFile(descriptor: number): AsyncGenerator<Extent> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await readPiece(descriptor, Buffer.alloc(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    for (const { offset, data } of extentsOf(buffer.subarray(0, bytesRead))) {
      yield { offset: at + offset, data };
    }
    at += bytesRead;
  }
}

/** Neighbouring pages that are not zero are one extent. */
function* extentsOf(piece: Buffer): Generator<Extent> {
  if (isZero(piece)) return;
  let begin: number | undefined;
  for (let at = 0; at < piece.length; at += PAGE) {
    if (isZero(piece.subarray(at, at + PAGE))) {
      if (begin !== undefined) yield { offset: begin, data: piece.subarray(begin, at) };
      begin = undefined;
    } else {
      begin ??= at;
    }
  }
  if (begin !== undefined) yield { offset: begin, data: piece.subarray(begin) };
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length));
}
