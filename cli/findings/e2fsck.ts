import { readMessage } from './e2fsck-entities.js';
import {
  ABORTED,
  ABOUT_THE_FILE_SYSTEM,
  ANY_QUESTION,
  FOLLOW_UP,
  isContinuation,
  LIST_ITEMS,
  LISTS,
  NOISE,
  NOT_CHECKED,
  PREEN_ADVICE,
  PREEN_PREFIX,
  PREEN_STOPPED,
  QUESTION_ALONE,
  QUESTION_AT_END,
  RESTARTED,
  SEVERITIES,
  SIGNAL,
  STACK,
  STILL_HAS_ERRORS,
  SUMMARY,
  WAS_MODIFIED,
} from './e2fsck-grammar.js';
import type { Finding } from './finding.js';
import {
  copied,
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
} from './fsck-report.js';
import { LogLines } from './log-lines.js';
import { signature } from './signature.js';

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
  const lines = new LogLines(
    (line) => parser.line(line),
    (piece) => parser.more(piece),
  );
  lines.push(text);
  lines.end();
  return parser.end();
}

export class E2fsckParser implements FsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  readonly #classes = new ClassCache();
  #version: string | undefined;
  #pass: number | undefined;
  readonly #passes = new Set<number>();
  #runs = 0;
  #summaries = 0;
  /** Why it went no further. */
  #aborted: string | undefined;
  #unchecked = false;
  #saysErrors: string | undefined;
  /** The message that is being read. */
  #message: string[] = [];
  /** Whether the message is one line of numbers, of which more may come. */
  #isList = false;
  /** Whether a question alone in its line still belongs to the message before it. */
  #mayAsk = false;
  /** What was added last, until another message ends: its question may stand after an empty line. */
  #last: Finding | undefined;

  constructor({ device }: FsckOptions = {}) {
    this.#device = device;
  }

  line(raw: string): void {
    const line = raw.trimEnd();
    this.#isList = false;
    if (line === '') {
      this.#close();
      return;
    }
    if (this.#structure(line)) {
      this.#mayAsk = false;
      return;
    }
    const text = line.replace(PREEN_PREFIX, '');
    if (text === '' || QUESTION_ALONE.test(text) || FOLLOW_UP.test(text)) {
      this.#question(text);
      return;
    }
    if (this.#message.length > 0 && text === line && isContinuation(line)) {
      if (this.#message.length < LONGEST_MESSAGE) this.#message.push(line.trim());
      if (ANY_QUESTION.test(line)) this.#close();
      return;
    }
    this.#close();
    if (NOISE.some((pattern) => pattern.test(text))) return;
    this.#message = [text.trim()];
    this.#isList = LISTS.test(text);
    if (!this.#isList && (ANY_QUESTION.test(text) || QUESTION_AT_END.test(text))) this.#close();
  }

  more(piece: string): void {
    if (!(this.#isList && LIST_ITEMS.test(piece))) this.#found.addUnparsed(piece.slice(0, 200));
  }

  /** Lines about the run rather than the file system. True where this was one. */
  #structure(line: string): boolean {
    // Most lines begin with none of these: `P`ass, `e`2fsck, `R`estarting, `S`ignal, or have a colon.
    if (!line.includes(':') && !/^(?: |[a-zA-Z\t/])/.test(line)) return false;
    const version = /^e2fsck (\d+\.\d\S*) \(/.exec(line);
    if (version) {
      this.#close();
      this.#version ??= version[1] as string;
      this.#runs += 1;
      return true;
    }
    const pass = /^Pass (\d)[A-E]?: /.exec(line);
    if (pass && !/^Pass \d\w?: (?:Memory used|I\/O read)/.test(line)) {
      this.#close();
      this.#pass = Number(pass[1]);
      this.#passes.add(this.#pass);
      return true;
    }
    if (SUMMARY.some((pattern) => pattern.test(line))) {
      this.#close();
      this.#summaries += 1;
      return true;
    }
    const ending = this.#ending(line);
    if (ending === undefined) return false;
    // What was asked last got no answer.
    this.#close();
    if (ending !== '') this.#aborted ??= ending;
    return true;
  }

  /** Lines about how it ended; the text is why it went no further, where it did not. */
  #ending(line: string): string | undefined {
    if (ABORTED.some((pattern) => pattern.test(line))) return 'e2fsck aborted';
    if (PREEN_STOPPED.test(line)) {
      this.#close('offered');
      if (this.#last) this.#last.fix ??= 'offered';
      return 'e2fsck stopped, since it does not preen what it found';
    }
    if (SIGNAL.test(line)) return `e2fsck was killed: ${line.slice(0, 80)}`;
    if (PREEN_ADVICE.test(line) || (this.#aborted !== undefined && STACK.test(line))) return '';
    if (RESTARTED.test(line)) {
      this.#passes.clear();
      this.#pass = undefined;
      return '';
    }
    if (NOT_CHECKED.test(line)) {
      this.#unchecked = true;
      return '';
    }
    if (STILL_HAS_ERRORS.test(line)) {
      this.#saysErrors = 'Filesystem still has errors';
      return '';
    }
    if (WAS_MODIFIED.test(line)) {
      this.#saysErrors ??= 'File system was modified';
      return '';
    }
    return undefined;
  }

  #question(line: string): void {
    if (this.#message.length > 0) {
      // "Rename to a~0" and the like are part of what is found.
      this.#message.push(line);
      this.#close();
    } else if (line === '') {
      return;
    } else if (this.#mayAsk) {
      // "Clone multiply-claimed blocks? no" is followed by "Delete file? no" about the same file.
      const fix = fixOf(line);
      if (this.#last && fix !== undefined) this.#last.fix ??= fix;
    } else {
      if (/[a-z]/.test(line)) this.#add(line, fixOf(line));
      else this.#found.addUnparsed(line);
    }
  }

  /** @param unanswered what became of the repair where the message has no question */
  #close(unanswered?: Finding['fix']): void {
    const message = this.#message;
    this.#message = [];
    if (message.length === 0) return;
    const text = message.join('\n');
    const fix = fixOf(text) ?? unanswered;
    if (fix !== undefined || ABOUT_THE_FILE_SYSTEM.test(text)) this.#add(text, fix);
    else for (const line of message) this.#found.addUnparsed(line);
  }

  #add(text: string, fix: Finding['fix']): void {
    this.#mayAsk = true;
    const stated = text
      .replace(QUESTION_AT_END, '')
      .replace(ANY_QUESTION, '')
      .replace(/\s*\n\s*/g, ' ')
      .trim();
    const message = (stated === '' ? text : stated).slice(0, LONGEST_TEXT);
    const known = this.#classes.of(message);
    if (!this.#found.wants(known.signature)) {
      this.#last = undefined;
      this.#found.omit(known.signature, known.severity);
      return;
    }
    this.#last = {
      tool: 'e2fsck',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#pass === undefined ? {} : { pass: this.#pass }),
      message: copied(message),
      signature: known.signature,
      severity: known.severity,
      ...(fix === undefined ? {} : { fix }),
      ...readMessage(message).entities,
    };
    this.#found.add(this.#last);
  }

  end(): FsckReport {
    this.#close();
    this.#pass = undefined;
    if (this.#saysErrors && this.#found.findings.every(({ severity }) => severity === 'notice')) {
      this.#add(this.#saysErrors, undefined);
    }
    return this.#found.report('e2fsck', this.#version, this.#incomplete());
  }

  #incomplete(): string | undefined {
    if (this.#aborted !== undefined) return this.#aborted;
    if (this.#summaries < Math.max(1, this.#runs)) {
      if (this.#unchecked) return "e2fsck did not check, it took the superblock's word (no -f)";
      return "the log ends before e2fsck's summary";
    }
    const missing = [1, 2, 3, 4, 5].filter((pass) => !this.#passes.has(pass));
    return missing.length > 0 ? `the log lacks pass ${missing.join(', ')}` : undefined;
  }
}

function fixOf(text: string): Finding['fix'] {
  const groups = (QUESTION_AT_END.exec(text) ?? ANY_QUESTION.exec(text))?.groups;
  if (!groups) return QUESTION_ALONE.test(text) ? fixOf(`.\n${text}`) : undefined;
  const { answer, settled } = groups;
  if (settled !== undefined) return settled === 'IGNORED' ? 'refused' : 'made';
  if (answer?.startsWith('yes')) return 'made';
  return answer === '' || answer === undefined ? 'offered' : 'refused';
}

interface MessageClass {
  signature: string;
  severity: Finding['severity'];
}

/** A flood of one message, which differs in its numbers, costs its class once. */
class ClassCache {
  static readonly #MOST = 2000;
  readonly #known = new Map<string, MessageClass>();

  of(message: string): MessageClass {
    const shape = /['/<]/.test(message) ? undefined : message.replace(/\d+/g, '0');
    const known = shape === undefined ? undefined : this.#known.get(shape);
    if (known) return known;
    const made = {
      signature: signature('e2fsck', readMessage(message).class),
      severity: SEVERITIES.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruption',
    };
    if (shape !== undefined && this.#known.size < ClassCache.#MOST) {
      this.#known.set(copied(shape), made);
    }
    return made;
  }
}
