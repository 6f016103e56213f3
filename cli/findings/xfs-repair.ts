import type { Finding, Severity } from './finding.js';
import {
  copied,
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
} from './fsck-report.js';
import { parseWhole } from './log-lines.js';
import { anyOf, type Shape, ShapeCache, Shapes } from './shape.js';
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
  return parseWhole(text, new XfsRepairParser(options));
}

export class XfsRepairParser implements FsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  readonly #shapes = new Shapes();
  readonly #kinds = new ShapeCache<LineKind>();
  readonly #classes = new ShapeCache<MessageClass>();
  readonly #phases = new Set<number>();
  #version: string | undefined;
  #phase: number | undefined;
  #runs = 0;
  #ended = false;
  #gaveUp = false;
  #skipped: number[] = [];
  #message: string[] = [];
  /** The shapes of its lines, where numbers are all that varies in them. */
  #shape: Shape | undefined;
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
    const shape = this.#shapes.expected(line) ?? this.#shapes.find(line);
    const kind = this.#kinds.of(shape, () => kindOf(line));
    if (this.#following > 0 && line !== '') {
      this.#continue(line, shape);
      this.#following -= 1;
      if (this.#following === 0) this.#close();
    } else if (!(kind.isStructure && this.#structure(line))) {
      if (this.#message.length > 0 && kind.goesOn) {
        this.#continue(line, shape);
      } else {
        this.#close();
        this.#message = [line.trim()];
        this.#shape = shape;
        this.#following = kind.followers;
        this.#inName = kind.opensName;
      }
    }
  }

  #continue(line: string, shape: Shape | undefined): void {
    this.#message.push(line.trim());
    this.#shape = this.#shapes.joined(this.#shape, shape);
  }

  more(piece: string): void {
    this.#found.addUnparsed(piece.slice(0, 200));
  }

  #continueName(line: string): void {
    const text = `${this.#message.join(' ')}\n${line}`;
    this.#message = [text];
    this.#shape = undefined;
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
    if (LAST_WORDS.test(line)) {
      this.#close();
      this.#ended = true;
      return true;
    }
    this.#version ??= VERSION.exec(line)?.[1];
    if (NOISE.test(line)) {
      this.#close();
      return true;
    }
    if (GAVE_UP.test(line)) this.#gaveUp = true;
    if (SKIPS_PHASES_6_AND_7.test(line)) this.#skipped = [6, 7];
    return false;
  }

  #restart(): void {
    this.#runs += 1;
    this.#ended = false;
    this.#phases.clear();
    this.#skipped = [];
  }

  #close(): void {
    const lines = this.#message;
    if (lines.length === 0) return;
    this.#message = [];
    this.#following = 0;
    this.#inName = false;
    const made = this.#classes.of(this.#shape, () => classify(lines));
    if (made.isAboutFileSystem && !this.#found.wants(made.signature)) {
      this.#found.omit(made.signature, made.severity);
      return;
    }
    const message = lines.join(' ').slice(0, LONGEST_TEXT);
    if (!made.isAboutFileSystem) {
      this.#found.addUnparsed(message);
      return;
    }
    const finding: Finding = {
      tool: 'xfs_repair',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#phase === undefined ? {} : { pass: this.#phase }),
      message: copied(message),
      signature: made.signature,
      severity: made.severity,
      ...(made.fix === undefined ? {} : { fix: made.fix }),
      ...readMessage(message).entities,
    };
    this.#found.add(finding, `${this.#runs} ${this.#phase}`);
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

/** What a line is by itself; what it means depends on what came before. */
interface LineKind {
  isStructure: boolean;
  /** It goes on with the message before it, where there is one. */
  goesOn: boolean;
  /** How many lines belong to the message that it begins, whatever they are. */
  followers: number;
  opensName: boolean;
}

function kindOf(line: string): LineKind {
  return {
    isStructure: STRUCTURE.test(line),
    goesOn: CONTINUATION.test(line) || ACTION.test(line),
    followers: FOLLOWING.find(([pattern]) => pattern.test(line))?.[1] ?? 0,
    opensName: OPEN_NAME.test(line),
  };
}

const STRUCTURE = anyOf([PHASE, LAST_WORDS, NOISE, GAVE_UP, SKIPS_PHASES_6_AND_7]);

interface MessageClass {
  signature: string;
  severity: Severity;
  fix: Finding['fix'];
  isAboutFileSystem: boolean;
}

function classify([first = '', ...rest]: readonly string[]): MessageClass {
  // What would be done about it is no part of what is wrong.
  const stated = [first, ...rest.filter((line) => !ACTION.test(line))].join(' ');
  const message = stated.slice(0, LONGEST_TEXT);
  const { bare } = readMessage(message);
  return {
    signature: signature('xfs_repair', messageClass(bare)),
    severity: SEVERITIES.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruption',
    fix: fixOf(`${bare} ${rest.join(' ')}`),
    isAboutFileSystem: ABOUT_THE_FILE_SYSTEM.test(bare) || ACTION.test(message),
  };
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
