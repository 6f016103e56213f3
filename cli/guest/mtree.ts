/** One file of a future archive, described for bsdtar by mtree(5). Paths have no leading slash. */
export type MtreeEntry =
  | { type: 'dir'; path: string }
  | { type: 'link'; path: string; target: string }
  | { type: 'char'; path: string; major: number; minor: number }
  | { type: 'file'; path: string; content: string; mode: number };

/**
 * The mtree description. Everything belongs to root and has the time of the epoch, so equal content
 * makes equal archives.
 */
export function formatMtree(entries: readonly MtreeEntry[]): string {
  const lines = entries.map((entry) => {
    const path = `./${encode(entry.path)}`;
    const common = 'uid=0 gid=0 time=0';
    return `${path} ${particulars(entry)} ${common}`;
  });
  return `#mtree\n${lines.join('\n')}\n`;
}

function particulars(entry: MtreeEntry): string {
  switch (entry.type) {
    case 'dir':
      return 'type=dir mode=755';
    case 'link':
      return `type=link mode=777 link=${encode(entry.target)}`;
    case 'char':
      return `type=char mode=600 device=native,${entry.major},${entry.minor}`;
    case 'file':
      return `type=file mode=${entry.mode.toString(8)} contents=${encode(entry.content)}`;
  }
}

/** vis(3) encoding: a backslash and three octal digits for characters that would end a word. */
function encode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte <= 0x20 || byte >= 0x7f || byte === 0x5c || byte === 0x23 || byte === 0x3d
        ? `\\${byte.toString(8).padStart(3, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}
