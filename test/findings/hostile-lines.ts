/**
 * Lines of about this many characters, each hard for a pattern that searches again from every character.
 * `npm run bench:logs` shows how the time to read them grows.
 */
export function hostileLines(length: number): string[] {
  const filled = (text: string) => text.repeat(Math.ceil(length / text.length));
  return [
    filled('\\'),
    filled('"'),
    `{"a":"${filled('\\n')}e2fsck 1.47.0 (5`,
    `${filled('x: ')}1/2 files`,
    filled('> '),
    `[${filled(' ')}`,
    `a@b ${filled('#')}`,
    `root@host:${filled('a ')}`,
    `${filled('Aa ')}? no`,
    `/${filled('a')}: `,
    `${filled(' ')}x`,
    `Entry '${filled("'")}' in /a (1) has`,
    `${filled('1')}/`,
    filled('.'),
    `${filled('bad magic number,')}Metadata corruption detected at 0x1, xfs_inode block 0x80`,
  ];
}
