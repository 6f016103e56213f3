import { read } from 'node:fs';
import { promisify } from 'node:util';

/**
 * What a guest's device holds before anything is mounted from it. It goes over the channel, and the
 * guest writes it to the device (guest-scripts/lib/contents.pl). This works for every kind of
 * persistent memory, and for clones, whose devices may lie in the memory that they share.
 */

/** A range of a device's bytes. */
export interface Extent {
  /** Bytes from the start of the device. */
  offset: number;
  data: Uint8Array;
}

/** Extents in any order; everything else is zero. */
export type DeviceContents = AsyncIterable<Extent> | Iterable<Extent>;

/** The contents as the guest reads them: see guest-scripts/lib/contents.pl. */
export async function* encodeContents(contents: DeviceContents): AsyncGenerator<Uint8Array> {
  for await (const { offset, data } of contents) {
    // An extent of length zero would mark the end.
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

/** Bytes per read, and per search for zeros. */
const PIECE = 1 << 20;
const PAGE = 4096;

const ZEROS = Buffer.alloc(PIECE);

const readPiece = promisify(read);

/** The pages of a file that are not zero. The file stays open; read errors are thrown. */
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

/** Merges neighbouring pages that are not zero into one extent. */
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
