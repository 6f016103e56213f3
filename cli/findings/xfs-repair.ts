import type { Finding, Severity } from './finding.js';
import {
  copied,
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
} from './fsck-report.js';
import { LogLines } from './log-lines.js';
import { messageClass, signature } from './signature.js';
import {
  ABOUT_THE_FILE_SYSTEM,
  ACTION,
  CONTINUATION,
  FOLLOWING,
  GAVE_UP,
  LAST_WORDS,
  LONGEST_NAME,
  MADE,
  NOISE,
  OPEN_NAME,
  PHASE,
  REFUSED,
  SEVERITIES,
  SKIPS_PHASES_6_AND_7,
  VERSION,
} from './xfs-repair-grammar.js';

/** Characters; a message with a name of 255 bytes has fewer. */
const LONGEST_TEXT = 2000;

/** Reads the output of xfs_repair, both streams together, as `xfs_repair -n` prints it. */
export function parseXfsRepair(text: string, options: FsckOptions = {}): FsckReport {
  const parser = new XfsRepairParser(options);
  const lines = new LogLines(
    (line) => parser.line(line),
    (piece) => parser.more(piece),
  );
  lines.push(text);
  lines.end();
  return parser.end();
}

export class XfsRepairParser implements FsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  readonly #phases = new Set<number>();
  #version: string | undefined;
  #phase: number | undefined;
  #ended = false;
  #gaveUp = false;
  #skipped: number[] = [];
  #message: string[] = [];
  /** How many lines still belong to the message, whatever they are. */
  #following = 0;
  /** Whether a name has begun in the message and not ended: its line breaks end no line. */
  #inName = false;

  constructor({ device }: FsckOptions = {}) {
    this.#device = device;
  }

  line(raw: string): void {
    if (this.#inName) {
      this.#continueName(raw);
      return;
    }
    const line = raw.trimEnd();
    if (this.#following > 0 && line !== '') {
      this.#message.push(line.trim());
      this.#following -= 1;
      if (this.#following === 0) this.#close();
      return;
    }
    if (this.#structure(line)) return;
    const isMore = CONTINUATION.test(line) || ACTION.test(line);
    if (this.#message.length > 0 && isMore) {
      this.#message.push(line.trim());
      return;
    }
    this.#close();
    if (SKIPS_PHASES_6_AND_7.test(line)) this.#skipped = [6, 7];
    this.#message = [line.trim()];
    this.#following = FOLLOWING.find(([pattern]) => pattern.test(line))?.[1] ?? 0;
    this.#inName = / ["']/.test(line) && OPEN_NAME.test(line);
  }

  more(piece: string): void {
    this.#found.addUnparsed(piece.slice(0, 200));
  }

  #continueName(line: string): void {
    const text = `${this.#message.join(' ')}\n${line}`;
    this.#message = [text];
    this.#inName = OPEN_NAME.test(text) && text.length < LONGEST_NAME;
  }

  /** Lines about the run rather than the file system. True where this was one. */
  #structure(line: string): boolean {
    const start = PHASE.exec(line);
    if (start) {
      this.#close();
      this.#phase = Number(start[1]);
      // A second run in the same log has to end as well.
      if (this.#phase === 1) this.#restart();
      this.#phases.add(this.#phase);
      return true;
    }
    if (LAST_WORDS.some((pattern) => pattern.test(line))) {
      this.#close();
      this.#ended = true;
      return true;
    }
    this.#version ??= VERSION.exec(line)?.[1];
    if (NOISE.some((pattern) => pattern.test(line))) {
      this.#close();
      return true;
    }
    if (GAVE_UP.test(line)) this.#gaveUp = true;
    return false;
  }

  #restart(): void {
    this.#ended = false;
    this.#phases.clear();
    this.#skipped = [];
  }

  #close(): void {
    const [first = '', ...rest] = this.#message;
    // What would be done about it is no part of what is wrong.
    const stated = [first, ...rest.filter((line) => !ACTION.test(line))].join(' ');
    const whole = this.#message.join(' ');
    this.#message = [];
    this.#following = 0;
    this.#inName = false;
    if (whole === '') return;
    const message = whole.slice(0, LONGEST_TEXT);
    const read = readMessage(stated.slice(0, LONGEST_TEXT));
    if (!ABOUT_THE_FILE_SYSTEM.test(read.bare) && !ACTION.test(message)) {
      this.#found.addUnparsed(message);
      return;
    }
    const name = signature('xfs_repair', messageClass(read.bare));
    const severity = severityOf(message);
    if (!this.#found.wants(name)) {
      this.#found.omit(name, severity);
      return;
    }
    const fix = fixOf(`${read.bare} ${rest.join(' ')}`);
    this.#found.add({
      tool: 'xfs_repair',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#phase === undefined ? {} : { pass: this.#phase }),
      message: copied(message),
      signature: name,
      severity,
      ...(fix === undefined ? {} : { fix }),
      ...read.entities,
    });
  }

  end(): FsckReport {
    this.#close();
    return this.#found.report('xfs_repair', this.#version, this.#incomplete());
  }

  #incomplete(): string | undefined {
    if (this.#gaveUp) return 'xfs_repair gave up';
    if (!this.#ended) return "the log ends before xfs_repair's last line";
    // Phase 5 rebuilds; with -n it is skipped.
    const missing = [1, 2, 3, 4, 6, 7].filter(
      (phase) => !this.#phases.has(phase) && !this.#skipped.includes(phase),
    );
    return missing.length > 0 ? `the log lacks phase ${missing.join(', ')}` : undefined;
  }
}

function severityOf(message: string): Severity {
  return SEVERITIES.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruption';
}

function fixOf(bare: string): Finding['fix'] {
  if (REFUSED.test(bare)) return 'refused';
  return MADE.test(bare) ? 'made' : undefined;
}

type Entities = Pick<
  Finding,
  'inode' | 'inodeType' | 'block' | 'offset' | 'group' | 'entry' | 'entryInode'
>;

/** `entry "NAME" …`: the name may hold anything, so it ends where such words follow last. */
const ENTRIES: readonly RegExp[] = [
  /\b(entry|illegal name) "(?<entry>[\s\S]*)"(?=,? (?:at|in|of|has|references|points|\(ino |is)|,|:|\.?$)/,
  /\b(name) '(?<entry>[\s\S]*)'(?=\)| (?:key )?failed)/,
  /\b(pointer|pointer for) '(?<entry>[\s\S]*)'(?=,? (?:failed|in|err))/,
];

/** A block within an allocation group, a range of such blocks, addresses: no names of inodes. */
const PLACES = /[[(]\d[\da-fx/,: -]*[\])]/g;
/**
 * Numbers in base 16 that nothing marks as such, numbers that a word follows at once, and the two
 * names that belong to the class.
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
function readMessage(message: string): { entities: Entities; bare: string } {
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
