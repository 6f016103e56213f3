/** The words that findings use for inode types, by the top four bits of the mode (inode(7)). */
const TYPES: Readonly<Record<number, string>> = {
  1: 'fifo',
  2: 'character device',
  4: 'directory',
  6: 'block device',
  8: 'regular file',
  10: 'symlink',
  12: 'socket',
};

/** `directory`, `symlink`, …; `unknown` if the mode is invalid. */
export function inodeTypeOf(mode: number): string {
  return TYPES[(mode >> 12) & 0xf] ?? 'unknown';
}
