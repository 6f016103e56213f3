import type { Finding } from './finding.js';

export type Entities = Pick<
  Finding,
  'inode' | 'inodeType' | 'block' | 'offset' | 'group' | 'entry' | 'entryInode'
>;

/** `entry "NAME" …`: the name may contain anything, so it ends where such words follow last. */
const ENTRIES: readonly RegExp[] = [
  /\b(entry|illegal name) "(?<entry>[\s\S]*)"(?=,? (?:at|in|of|has|references|points|\(ino |is)|,|:|\.?$)/,
  /\b(name) '(?<entry>[\s\S]*)'(?=\)| (?:key )?failed)/,
  /\b(pointer|pointer for) '(?<entry>[\s\S]*)'(?=,? (?:failed|in|err))/,
];

/** A block within an allocation group, a range of such blocks, addresses: no names of inodes. */
const PLACES = /[[(]\d[\da-fx/,: -]*[\])]/g;
/**
 * Hexadecimal numbers without a prefix, numbers directly followed by a word, and the two names that
 * belong to the class.
 */
const UNMARKED: ReadonlyArray<readonly [RegExp, string]> = [
  // The thread.
  [/^[\da-f]+: (?=Badness)/, ''],
  [/\b(state - \d+),[\da-f]+/, '$1'],
  [/\b(magic number|saw type) (?:0x)?[\da-f]+/, '$1'],
  [/(\binode (?:0x[\da-f]+|\d+))(?=attr|bmap|has)/, '$1 '],
  [/ \.\. (?=entr)/, ' dotdot '],
  [/ \. (?=entr)/, ' dot '],
];

/** A damaged entry is damage of the directory, whichever inode the entry has. */
const DIRECTORY = /\bdir(?:ectory)?(?: inode| ino)? (?<inode>\d+)/;
const INODES: readonly RegExp[] = [
  /\b(?:inode|ino)(?: #| number)? (?<inode>\d+)/i,
  /\bsymlink (?<inode>\d+)/,
  /\(inode=(?<inode>\d+)\)/,
  /\binode (?<inode>0x[\da-f]+)/,
];
const TARGET = /\b(?:references|points to)(?: [a-z-]+)*? inode (?<target>\d+)|\(ino (?<ino>\d+)\)/;
const GROUP = /\b(?:ag|AG|agno|agf|agi|agfl)(?: #| =)? ?#?(?<group>\d+)\b/;
const TYPES: ReadonlyArray<readonly [RegExp, string]> = [
  [DIRECTORY, 'directory'],
  [/\bsymlink\b/, 'symlink'],
  [/\bcharacter device inode\b/, 'character device'],
  [/\bblock device inode\b/, 'block device'],
  [/\bsocket inode\b/, 'socket'],
  [/\bfifo inode\b/, 'fifo'],
];

/** What a message speaks of, and the message without names and places. */
export function readMessage(message: string): { entities: Entities; bare: string } {
  const entities: Entities = {};
  let bare = message;
  const entry = firstOf(ENTRIES, message);
  const name = entry?.groups?.['entry'];
  if (entry && name !== undefined) {
    entities.entry = name;
    const special = name === '.' ? ' dot' : name === '..' ? ' dotdot' : '';
    const from = entry.index + (entry[1]?.length ?? 0);
    bare = `${message.slice(0, from)}${special}${message.slice(entry.index + entry[0].length)}`;
  }
  const groups = (DIRECTORY.exec(bare) ?? firstOf(INODES, bare))?.groups;
  set(entities, 'inode', groups?.['inode']);
  const type = TYPES.find(([pattern]) => pattern.test(bare))?.[1];
  if (type !== undefined) entities.inodeType = type;
  const target = entry ? TARGET.exec(bare)?.groups : undefined;
  set(entities, 'entryInode', target?.['target'] ?? target?.['ino']);
  set(entities, 'block', /\bblock (\d+)\b/.exec(bare)?.[1]);
  set(entities, 'offset', /\boffset (\d+)\b/.exec(bare)?.[1]);
  set(entities, 'group', GROUP.exec(bare)?.groups?.['group']);
  for (const [pattern, replacement] of UNMARKED) bare = bare.replace(pattern, replacement);
  return { entities, bare: bare.replace(PLACES, ' ') };
}

function firstOf(patterns: readonly RegExp[], text: string): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match) return match;
  }
  return undefined;
}

function set(
  entities: Entities,
  key: 'inode' | 'block' | 'offset' | 'group' | 'entryInode',
  text: string | undefined,
): void {
  const number = Number(text);
  if (text !== undefined && Number.isSafeInteger(number)) entities[key] = number;
}
