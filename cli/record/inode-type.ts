/** The words that findings have for the types of inodes, by the four bits of their mode (inode(7)). */
const TYPES: Readonly<Record<number, string>> = {
  1: 'fifo',
  2: 'character device',
  4: 'directory',
  6: 'block device',
  8: 'regular file',
  10: 'symlink',
  12: 'socket',
};

/** `directory`, `symlink`, …; `unknown` where the mode is none. */
export function inodeTypeOf(mode: number): string {
  return TYPES[(mode >> 12) & 0xf] ?? 'unknown';
}
