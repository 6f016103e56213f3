import type { Finding } from './finding.js';
import { messageClass } from './signature.js';

/**
 * What a message of e2fsck speaks of, and the message without it. Names and paths are the problem:
 * they may hold anything, so for each form of message that has some, a pattern says where. The
 * forms were read in e2fsprogs 1.44 to 1.47 (problem.c, message.c).
 */

export type Entities = Pick<
  Finding,
  'inode' | 'inodeType' | 'block' | 'offset' | 'group' | 'path' | 'entry' | 'entryInode'
>;

interface Form {
  /**
   * Groups: `inode`, `entryInode`, `entry`, `path`, and those that are only removed: `other`,
   * `parent`. Names are greedy: they end where the words after them occur last.
   */
  pattern: RegExp;
  type?: string;
}

/** From ext2fs_get_pathname, or one of e2fsck's names for reserved inodes. */
const PATH = String.raw`(?:\/.*|<.*?>|\?\?\?|\.\.\.)`;

const FORMS: readonly Form[] = [
  {
    pattern: new RegExp(
      `^(?:\\w+ )*?[Ee]ntry '(?<entry>.*)' in (?<path>${PATH}) \\((?<inode>\\d+)\\)` +
        `(?= (?:has|is|points|references|found|to)\\b)` +
        `(?: is a link to directory (?<other>.*) \\((?<entryInode>\\d+)\\)\\.|(?<tail>.*)$)`,
    ),
    type: 'directory',
  },
  {
    pattern: new RegExp(
      `^(?:First|Second) entry '(?<entry>.*)' \\(inode=(?<entryInode>\\d+)\\) in directory inode (?<inode>\\d+)(?: \\((?<path>${PATH})\\))?(?= should be )`,
    ),
    type: 'directory',
  },
  {
    pattern: new RegExp(
      `^'\\.\\.' in (?<path>${PATH}) \\((?<inode>\\d+)\\) is (?<other>.*) \\((?<entryInode>\\d+)\\), should be (?<parent>.*) \\(\\d+\\)`,
    ),
    type: 'directory',
  },
  {
    pattern: new RegExp(
      `^Duplicate entry '(?<entry>.*)' found\\.\\s+Marking (?<path>${PATH}) \\((?<inode>\\d+)\\)(?= to be rebuilt)`,
    ),
    type: 'directory',
  },
  {
    pattern: new RegExp(`^Directory entry for '\\.' in (?<path>${PATH}) \\((?<inode>\\d+)\\)`, 'i'),
    type: 'directory',
  },
  {
    pattern: new RegExp(`^Symlink (?<path>${PATH}) \\(inode #(?<inode>\\d+)\\)(?= is )`),
    type: 'symlink',
  },
  { pattern: /^Fast symlink (?<inode>\d+)/, type: 'symlink' },
  {
    pattern: new RegExp(
      `^File (?<path>${PATH}) \\(inode #(?<inode>\\d+), mod time (?<other>[^)]*)\\)(?=\\s+has)`,
    ),
  },
  {
    pattern: new RegExp(`^(?<path>${PATH}) (inode #(?<inode>d+), mod time (?<other>[^)]*))$`),
  },
  {
    pattern: new RegExp(
      `^(?:\\w+ )*?[Dd]irectory inode (?<inode>\\d+) \\((?:was in )?(?<path>${PATH})\\)(?=:|\\.|$)`,
    ),
    type: 'directory',
  },
  {
    pattern: new RegExp(
      `^(?:[\\w ]*?)(?:HTREE )?[Dd]irectory inode (?<inode>\\d+)(?: \\((?<path>${PATH})\\))?(?=[:. ,]|$)`,
    ),
    type: 'directory',
  },
  {
    // "i_file_acl for inode 12 (/a) is", "Inode 12 (/a) has", "Hiding user quota inode 12 (/a)."
    pattern: new RegExp(`^[\\w ]*?\\b[Ii]node (?<inode>\\d+) \\((?<path>${PATH})\\)(?= has | is )`),
  },
  { pattern: new RegExp(`^[\\w ]*?\\b[Ii]node (?<inode>\\d+) \\((?<path>${PATH})\\)(?=\\.)`) },
  {
    pattern: new RegExp(
      `^Failed to optimize (?:directory|extent tree) (?<path>${PATH}) \\((?<inode>\\d+)\\)(?=:)`,
    ),
  },
  {
    pattern: new RegExp(`^Directory (?<path>${PATH})(?= has the casefold flag)`),
    type: 'directory',
  },
  { pattern: /^Moving journal from \/(?<other>.*)(?= to hidden inode)/ },
  { pattern: /^EA inode (?<entryInode>\d+) for parent inode (?<inode>\d+)/ },
  { pattern: /^inode_link_info\[(?<inode>\d+)\]/ },
  { pattern: /\b(?:dir_info for|reconnect|Error while scanning inodes) \(?(?<inode>\d+)/ },
  { pattern: /\binode #?(?<inode>\d+)/i },
  { pattern: /\binode_link_info\[(?<inode>\d+)\]/ },
  { pattern: /\((?:inode #|inode |inode=|ino=|@i=)(?<inode>\d+)/ },
];

/** With the places of their groups. */
const INDEXED = FORMS.map(({ pattern, ...form }) => ({
  ...form,
  pattern: new RegExp(pattern.source, `${pattern.flags}d`),
}));

/** The inode of an entry, in the words after its directory. */
const TARGET = /\b(?:inode #:|inode|inode \(|EA inode) ?\(?(?<target>\d+)/;

/** Variable texts that are not names. */
const REST: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bRename to [\s\S]*/, ''],
  [/^File\b[\s\S]*? has \d+ multiply-claimed block[\s\S]*/, 'File has multiply-claimed blocks'],
  // Lists: which blocks, and how many.
  [/^((?:Block|Inode) bitmap differences:)[\s\S]*/, '$1'],
  [/^(Multiply-claimed block\(s\) in inode \d+:)[\s\S]*/, '$1'],
  // A library's complaint; on an unbuffered stream the next message follows on the same line.
  [/^(Illegal block number passed to \w+) [\s\S]*?( for [a-z -]+ map)[\s\S]*/, '$1$2'],
  // The advice after an unreadable superblock.
  [/^(The superblock could not be read)[\s\S]*/, '$1'],
  // Of an unbuffered stream: another line may follow in it.
  [
    /^(?:e2fsck|fsck\.ext[234]): (.*? while (?:trying to open|checking journal for|using the backup blocks)).*/,
    '$1',
  ],
  [
    /^.*(?= (?:was not cleanly unmounted|contains a file system with errors|has (?:been mounted|gone) \d|has filesystem last checked|has unsupported (?:feature|encoding)|primary superblock features different))/,
    '',
  ],
  [/^.*: (?=recovering journal$|won't do journal recovery)/, ''],
  [/^(Journal (?:checksum error found|corrupted)) in .*/, '$1'],
  [/^(.* has unsupported (?:feature\(s\)|encoding):).*/, '$1'],
  [/^(Warning! {2}|).* (?=is (?:mounted|in use)\.$)/, '$1'],
  [/\bunknown file type with mode 0[0-7]+/, 'unknown file type'],
];

/**
 * Splits a message, given as one line without its question, into what it speaks of and its class.
 */
export function readMessage(message: string): { entities: Entities; class: string } {
  for (const { pattern, type } of INDEXED) {
    const match = pattern.exec(message);
    if (!match) continue;
    const bare = withoutNames(message, match);
    return { entities: entitiesOf(match.groups ?? {}, type, bare), class: classOf(bare) };
  }
  return { entities: entitiesOf({}, undefined, message), class: classOf(message) };
}

/** The message with its names removed; the class keeps its grammar. */
function withoutNames(message: string, { indices }: RegExpExecArray): string {
  const spans = ['entry', 'path', 'other', 'parent']
    .flatMap((name) => (indices?.groups?.[name] ? [indices.groups[name]] : []))
    .sort(([a], [b]) => b - a);
  return spans.reduce(
    (bare, [start, end]) =>
      bare.slice(0, start) +
      (bare.slice(0, start).endsWith(' in ') ? 'directory' : '') +
      bare.slice(end),
    message,
  );
}

function classOf(bare: string): string {
  let text = bare;
  for (const [pattern, replacement] of REST) text = text.replace(pattern, replacement);
  return messageClass(text);
}

function entitiesOf(
  groups: Partial<Record<string, string>>,
  type: string | undefined,
  bare: string,
): Entities {
  const result: Entities = {};
  const inode = numberOf(groups['inode']) ?? (/^Root inode /.test(bare) ? 2 : undefined);
  const { path, entry, tail } = groups;
  const target = groups['entryInode'] ?? (tail ? TARGET.exec(tail)?.groups?.['target'] : undefined);
  const inodeType = type ?? typeOf(bare, inode);
  if (inode !== undefined) result.inode = inode;
  if (inodeType !== undefined) result.inodeType = inodeType;
  const block = /\bblock #(\d+)/i.exec(bare) ?? /\b(?:block|blk) (\d+)/i.exec(bare);
  set(result, 'block', block?.[1]);
  set(result, 'offset', /, offset (\d+)/.exec(bare)?.[1]);
  set(result, 'group', /\bgroup (?:descriptor )?#?(\d+)/i.exec(bare)?.[1]);
  if (path?.startsWith('/')) result.path = path;
  if (entry !== undefined) result.entry = entry;
  set(result, 'entryInode', target);
  return result;
}

function set(
  result: Entities,
  key: 'block' | 'offset' | 'group' | 'entryInode',
  text: string | undefined,
): void {
  const number = numberOf(text);
  if (number !== undefined) result[key] = number;
}

function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

function typeOf(message: string, inode: number | undefined): string | undefined {
  if (inode === 2) return 'directory';
  const stated =
    /\bis (?:a|an illegal) (regular file|FIFO|named pipe|socket|symbolic link|character device|block device)\b/.exec(
      message,
    )?.[1];
  if (stated === 'symbolic link') return 'symlink';
  return stated === 'named pipe' ? 'fifo' : stated?.toLowerCase();
}
