import {
  ABORTED,
  ABOUT_THE_FILE_SYSTEM,
  ANY_QUESTION,
  FOLLOW_UP,
  isContinuation,
  NAMES,
  NOISE,
  NOT_CHECKED,
  QUESTION_ALONE,
  QUESTION_AT_END,
  SEVERITIES,
  STILL_HAS_ERRORS,
  SUMMARY,
  WAS_MODIFIED,
} from './e2fsck-grammar.js';
import type { Finding } from './finding.js';
import { FsckCollector, type FsckOptions, type FsckReport } from './fsck-report.js';
import { linesOf } from './lines.js';
import { messageClass, signature } from './signature.js';

/** A message of more lines is none that e2fsck has: the lists of files that share blocks are cut. */
const LONGEST_MESSAGE = 12;

/** Characters; the patterns for names look at a message from each quotation mark to its end. */
const LONGEST_TEXT = 2000;

/**
 * Reads the output of e2fsck, both streams together, as `e2fsck -fn` prints it. Logs of runs that
 * repair (-y, -p) are understood too: what they repaired is found, so they are not clean.
 */
export function parseE2fsck(text: string, options: FsckOptions = {}): FsckReport {
  const parser = new E2fsckParser(options);
  for (const line of linesOf(text)) parser.line(line);
  return parser.end();
}

class E2fsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  #version: string | undefined;
  #pass: number | undefined;
  readonly #passes = new Set<number>();
  #runs = 0;
  #summaries = 0;
  #aborted = false;
  #unchecked = false;
  #saysErrors: string | undefined;
  /** The message that is being read. */
  #message: string[] = [];
  /** Whether a question alone in its line still belongs to the message before it. */
  #mayAsk = false;

  constructor({ device }: FsckOptions) {
    this.#device = device;
  }

  line(raw: string): void {
    // The marks that -C puts around its progress display.
    const line = raw.replace(/[\x01\x02]/g, '').trimEnd();
    if (line === '') {
      this.#close();
      return;
    }
    if (this.#structure(line)) {
      this.#close();
      this.#mayAsk = false;
      return;
    }
    if (QUESTION_ALONE.test(line) || FOLLOW_UP.test(line)) {
      this.#question(line);
      return;
    }
    if (this.#message.length > 0 && isContinuation(line)) {
      if (this.#message.length < LONGEST_MESSAGE) this.#message.push(line.trim());
      if (ANY_QUESTION.test(line)) this.#close();
      return;
    }
    this.#close();
    if (NOISE.some((pattern) => pattern.test(line))) return;
    this.#message = [line.trim()];
    if (ANY_QUESTION.test(line) || QUESTION_AT_END.test(line)) this.#close();
  }

  /** Lines about the run rather than the file system. True where this was one. */
  #structure(line: string): boolean {
    const version = /^e2fsck (\d+\.\d\S*) \(/.exec(line);
    if (version) {
      this.#version ??= version[1] as string;
      this.#runs += 1;
      return true;
    }
    const pass = /^Pass (\d)[A-E]?: /.exec(line);
    if (pass && !/^Pass \d\w?: (?:Memory used|I\/O read)/.test(line)) {
      this.#pass = Number(pass[1]);
      this.#passes.add(this.#pass);
      return true;
    }
    if (SUMMARY.some((pattern) => pattern.test(line))) {
      this.#summaries += 1;
      return true;
    }
    if (ABORTED.some((pattern) => pattern.test(line))) {
      this.#aborted = true;
      return true;
    }
    if (NOT_CHECKED.test(line)) {
      this.#unchecked = true;
      return true;
    }
    if (STILL_HAS_ERRORS.test(line)) {
      this.#saysErrors = 'Filesystem still has errors';
      return true;
    }
    if (WAS_MODIFIED.test(line)) {
      this.#saysErrors ??= 'File system was modified';
      return true;
    }
    return false;
  }

  #question(line: string): void {
    if (this.#message.length > 0) this.#close();
    // "Clone multiply-claimed blocks? no" is followed by "Delete file? no" about the same file.
    else if (!this.#mayAsk) this.#add(line);
  }

  #close(): void {
    const message = this.#message;
    this.#message = [];
    if (message.length === 0) return;
    const text = message.join('\n');
    if (ANY_QUESTION.test(text) || QUESTION_AT_END.test(text)) {
      this.#add(text);
    } else if (ABOUT_THE_FILE_SYSTEM.test(text)) {
      this.#add(text);
    } else {
      for (const line of message) this.#found.addUnparsed(line);
    }
  }

  #add(text: string): void {
    this.#mayAsk = true;
    if (this.#found.full) {
      this.#found.omit();
      return;
    }
    const message = text.replace(QUESTION_AT_END, (end) => (end.startsWith('.') ? '.' : '')).trim();
    const named = (message === '' ? text : message).slice(0, LONGEST_TEXT);
    this.#found.add({
      tool: 'e2fsck',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#pass === undefined ? {} : { pass: this.#pass }),
      message: named.replaceAll('\n', ' '),
      signature: signature('e2fsck', e2fsckClass(named)),
      severity: SEVERITIES.find(([pattern]) => pattern.test(named))?.[1] ?? 'corruption',
      ...place(named),
    });
  }

  end(): FsckReport {
    this.#close();
    this.#pass = undefined;
    if (this.#saysErrors && this.#found.findings.every(({ severity }) => severity === 'notice')) {
      this.#add(this.#saysErrors);
    }
    return this.#found.report('e2fsck', this.#version, this.#incomplete());
  }

  #incomplete(): string | undefined {
    if (this.#aborted) return 'e2fsck aborted';
    if (this.#summaries < Math.max(1, this.#runs)) {
      if (this.#unchecked) return "e2fsck did not check, it took the superblock's word (no -f)";
      return "the log ends before e2fsck's summary";
    }
    const missing = [1, 2, 3, 4, 5].filter((pass) => !this.#passes.has(pass));
    return missing.length > 0 ? `the log lacks pass ${missing.join(', ')}` : undefined;
  }
}

function e2fsckClass(message: string): string {
  let text = message.replace(ANY_QUESTION, '');
  for (const [pattern, replacement] of NAMES) text = text.replace(pattern, replacement);
  return messageClass(text);
}

type Location = Pick<Finding, 'inode' | 'inodeType' | 'block' | 'offset' | 'path'>;

/** Where the inode's number and path stand, most telling first. */
const INODES: ReadonlyArray<{ pattern: RegExp; type?: string }> = [
  { pattern: /entry '.*' in (?<path>.*?) \((?<inode>\d+)\)(?= \w)/i, type: 'directory' },
  {
    pattern: /entry '.*' \(inode=\d+\) in directory inode (?<inode>\d+) \((?<path>.*)\)/,
    type: 'directory',
  },
  { pattern: /^'\.\.' in (?<path>.*?) \((?<inode>\d+)\) is /, type: 'directory' },
  { pattern: /for '\.' in (?<path>.*) \((?<inode>\d+)\) is big/, type: 'directory' },
  { pattern: /^Symlink (?<path>.*) \(inode #(?<inode>\d+)\)/, type: 'symlink' },
  { pattern: /^Fast symlink (?<inode>\d+)/, type: 'symlink' },
  { pattern: /^File (?<path>.*) \(inode #(?<inode>\d+), mod time/ },
  { pattern: /^Problem in HTREE directory inode (?<inode>\d+)(?: \((?<path>.*)\))?:/ },
  { pattern: /\binode (?<inode>\d+) \((?<path>\/.*|<[^>]*>|\.{3}.*)\)(?= (?:has|is)\b)/i },
  { pattern: /\binode #?(?<inode>\d+)/i },
  { pattern: /\(inode=(?<inode>\d+)/ },
  { pattern: /\(ino=(?<inode>\d+)\)/ },
];

function place(message: string): Location {
  const result: Location = {};
  const found = firstMatch(message);
  if (found) {
    result.inode = Number(found.inode);
    if (found.path?.startsWith('/')) result.path = found.path;
  } else if (/^Root inode /.test(message)) {
    result.inode = 2;
  }
  const type = found?.type ?? inodeType(message, result.inode);
  if (type !== undefined) result.inodeType = type;
  const block = /\bblock #(\d+)/i.exec(message) ?? /\bblock (\d+)/i.exec(message);
  if (block) result.block = Number(block[1]);
  const offset = /, offset (\d+)/.exec(message);
  if (offset) result.offset = Number(offset[1]);
  return result;
}

function firstMatch(message: string) {
  for (const { pattern, type } of INODES) {
    const groups = pattern.exec(message)?.groups;
    if (groups) return { inode: groups['inode'], path: groups['path'], type };
  }
  return undefined;
}

function inodeType(message: string, inode: number | undefined): string | undefined {
  if (/\bdirectory inode \d/i.test(message) || inode === 2) return 'directory';
  const stated =
    /\bis (?:a|an illegal) (regular file|FIFO|socket|character device|block device)\b/.exec(
      message,
    );
  return stated?.[1]?.toLowerCase();
}
