/**
 * The archive format of bundles: ustar (POSIX.1-1988; tar(5)) with regular files only, without owners
 * and times, so that equal content makes equal archives. A bundle may come from a stranger, so reading
 * rejects everything that daxrepro does not write: links, sparse files, extended headers, other names.
 */

const BLOCK = 512;
/** The size field has 11 octal digits. */
export const LARGEST_FILE = 8 ** 11 - 1;

/** A relative path without hidden files and `..`, within the lengths of ustar's two name fields. */
const NAME =
  /^(?:[A-Za-z0-9_+@=,:-][A-Za-z0-9._+@=,:-]*\/)*[A-Za-z0-9_+@=,:-][A-Za-z0-9._+@=,:-]*$/;

export function isBundleName(name: string): boolean {
  return NAME.test(name) && splitName(name) !== undefined;
}

function splitName(name: string): { prefix: string; name: string } | undefined {
  if (name.length <= 100) return { prefix: '', name };
  const cut = name.indexOf('/', name.length - 101);
  if (cut < 0 || cut > 155) return undefined;
  return { prefix: name.slice(0, cut), name: name.slice(cut + 1) };
}

export function tarHeader(path: string, size: number): Buffer {
  const split = splitName(path);
  if (!split || size > LARGEST_FILE) throw new Error(`no tar header for ${path}, ${size} bytes`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(split.name, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(split.prefix, 345);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** The sum of the bytes of a header whose checksum field is blank. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

export interface EntrySink {
  content: (piece: Uint8Array) => void;
  end: () => void;
}

/** Says in one clause what is wrong with an archive. */
export class BadArchive extends Error {}

/**
 * @param open called for each file; an exception ends the reading
 * @throws BadArchive
 */
export async function readBundleTar(
  stream: AsyncIterable<Uint8Array>,
  open: (path: string, size: number) => EntrySink | undefined,
): Promise<void> {
  let header = Buffer.alloc(0);
  let [left, skip, zeros] = [0, 0, 0];
  let sink: EntrySink | undefined;
  for await (const chunk of stream) {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        sink?.content(piece);
        left -= piece.length;
        at += piece.length;
        if (left === 0) sink?.end();
      } else if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
      } else {
        const piece = chunk.subarray(at, at + BLOCK - header.length);
        header = Buffer.concat([header, piece]);
        at += piece.length;
        if (header.length < BLOCK) continue;
        if (zeros < 2) {
          const entry = readHeader(header);
          if (!entry) zeros += 1;
          else if (zeros > 0) throw new BadArchive('there is data after its end');
          else {
            sink = open(entry.path, entry.size);
            left = entry.size;
            skip = padding(entry.size).length;
            if (left === 0) sink?.end();
          }
        } else if (header.some((byte) => byte !== 0)) {
          throw new BadArchive('there is data after its end');
        }
        header = Buffer.alloc(0);
      }
    }
  }
  if (left > 0 || skip > 0 || header.length > 0 || zeros < 2) {
    throw new BadArchive('it ends too early');
  }
}

/** undefined for a block of zeros. */
function readHeader(block: Buffer): { path: string; size: number } | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (from: number, to: number) =>
    block.subarray(from, to).toString('latin1').replace(/\0.*$/s, '');
  const octal = (from: number, to: number) => {
    const digits = text(from, to).trim();
    if (!/^[0-7]+$/.test(digits)) throw new BadArchive('a number in a header is invalid');
    return Number.parseInt(digits, 8);
  };
  if (text(257, 263) !== 'ustar') throw new BadArchive('it is not a ustar archive');
  if (octal(148, 156) !== checksum(block)) throw new BadArchive("a header's checksum is wrong");
  const type = String.fromCharCode(block[156] ?? 0);
  const path = [text(345, 500), text(0, 100)].filter(Boolean).join('/');
  if (type !== '0') {
    throw new BadArchive(
      `${JSON.stringify(path)} is not a regular file (type ${JSON.stringify(type)})`,
    );
  }
  if (!isBundleName(path))
    throw new BadArchive(`${JSON.stringify(path)} is not a valid name in a bundle`);
  return { path, size: octal(124, 136) };
}
