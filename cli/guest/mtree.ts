/** A file of an archive to be, described for bsdtar by mtree(5). Paths have no leading slash. */
export type MtreeEntry =
  | { type: 'dir'; path: string }
  | { type: 'link'; path: string; target: string }
  | { type: 'char'; path: string; major: number; minor: number }
  | { type: 'file'; path: string; content: string; mode: number };

/** The mtree description. All belongs to root and is as old as the epoch, so equal content packs equal. */
export function formatMtree(entries: readonly MtreeEntry[]): string {
  const lines = entries.map((entry) => {
    const path = `./${escape(entry.path)}`;
    const common = 'uid=0 gid=0 time=0';
    switch (entry.type) {
      case 'dir':
        return `${path} type=dir mode=755 ${common}`;
      case 'link':
        return `${path} type=link mode=777 link=${escape(entry.target)} ${common}`;
      case 'char':
        return `${path} type=char mode=600 device=native,${entry.major},${entry.minor} ${common}`;
      case 'file':
        return `${path} type=file mode=${entry.mode.toString(8)} contents=${escape(entry.content)} ${common}`;
    }
  });
  return `#mtree\n${lines.join('\n')}\n`;
}

/** As vis(3) has it: a backslash and three octal digits for what would end a word. */
function escape(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte <= 0x20 || byte >= 0x7f || byte === 0x5c || byte === 0x23 || byte === 0x3d
        ? `\\${byte.toString(8).padStart(3, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}
