/**
 * Reads a tar archive as it streams by: the format of tar(5), with GNU's long names and pax' paths,
 * which Debian's and git's archives have.
 */

export interface TarFile {
  path: string;
  size: number;
  /** Called with the content, in pieces. */
  content: (piece: Uint8Array) => void;
  end: () => void;
}

const BLOCK = 512;

/** @param open called for each ordinary file; where it returns nothing the content is skipped */
export async function readTar(
  stream: AsyncIterable<Uint8Array>,
  open: (path: string, size: number) => Pick<TarFile, 'content' | 'end'> | undefined,
): Promise<void> {
  let header = Buffer.alloc(0);
  // Of the entry that is being read: content still to come, and padding after it.
  let [left, padding] = [0, 0];
  let sink: Pick<TarFile, 'content' | 'end'> | undefined;
  let name: string | undefined;
  for await (const chunk of stream) {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        sink?.content(piece);
        left -= piece.length;
        at += piece.length;
        if (left === 0) sink?.end();
        continue;
      }
      if (padding > 0) {
        const skipped = Math.min(padding, chunk.length - at);
        padding -= skipped;
        at += skipped;
        continue;
      }
      const piece = chunk.subarray(at, at + BLOCK - header.length);
      header = Buffer.concat([header, piece]);
      at += piece.length;
      if (header.length < BLOCK) continue;
      const entry = readHeader(header);
      header = Buffer.alloc(0);
      left = entry.size;
      padding = (BLOCK - (entry.size % BLOCK)) % BLOCK;
      sink = undefined;
      if (entry.type === 'L' || entry.type === 'x') {
        const text: Buffer[] = [];
        sink = {
          content: (one) => text.push(Buffer.from(one)),
          end: () => {
            name = longName(entry.type, Buffer.concat(text).toString());
          },
        };
        continue;
      }
      const path = name ?? entry.path;
      name = undefined;
      if ((entry.type === '0' || entry.type === '\0') && path !== '') sink = open(path, entry.size);
      if (entry.size === 0) sink?.end();
    }
  }
}

function readHeader(block: Buffer) {
  const text = (from: number, to: number) =>
    block.subarray(from, to).toString('utf8').replace(/\0.*$/s, '');
  const prefix = text(257, 262) === 'ustar' && block[262] === 0 ? text(345, 500) : '';
  return {
    path: [prefix, text(0, 100)].filter(Boolean).join('/'),
    size: Number.parseInt(text(124, 136).trim() || '0', 8),
    type: String.fromCharCode(block[156] ?? 0),
  };
}

function longName(type: string, content: string): string | undefined {
  if (type === 'L') return content.replace(/\0.*$/s, '');
  return content.match(/(?:^|\n)\d+ path=([^\n]*)\n/)?.[1];
}
