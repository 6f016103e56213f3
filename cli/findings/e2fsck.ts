import { readMessage } from './e2fsck-entities.js';
import {
  ABORTED,
  ABOUT_THE_FILE_SYSTEM,
  ANY_QUESTION,
  CONTINUATION,
  FOLLOW_UP,
  LIST_ITEMS,
  LISTS,
  NOISE,
  NOT_CHECKED,
  PASS,
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
import { parseWhole } from './log-lines.js';
import { anyOf, type Shape, ShapeCache, Shapes } from './shape.js';
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
  return parseWhole(text, new E2fsckParser(options));
}

export class E2fsckParser implements FsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  readonly #shapes = new Shapes();
  /** Of lists the first words alone. */
  readonly #lists = new Shapes();
  readonly #kinds = new ShapeCache<LineKind>();
  readonly #classes = new ShapeCache<MessageClass>();
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
  /** The shapes of its lines, where numbers are all that varies in them. */
  #shape: Shape | undefined;
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
    let shape = this.#shapes.expected(line);
    if (!shape) {
      const list = LISTS.exec(line)?.[0];
      if (list !== undefined) {
        this.#list(line, list);
        return;
      }
      shape = this.#shapes.find(line);
    }
    const kind = this.#kinds.of(shape, () => kindOf(line));
    if (kind.isStructure && this.#structure(line)) {
      this.#mayAsk = false;
    } else if (kind.isQuestion) {
      this.#question(withoutPrefix(line), shape);
    } else if (this.#message.length > 0 && kind.goesOn) {
      this.#continue(line, shape, kind);
    } else if (kind.isNoise) {
      this.#close();
    } else {
      this.#begin(withoutPrefix(line), shape);
      if (kind.asks) this.#close();
    }
  }

  /** A message that is one line of numbers: its first words are its shape. */
  #list(line: string, words: string): void {
    const isWhole = LIST_ITEMS.test(line.slice(words.length));
    this.#begin(line, isWhole ? this.#lists.find(words) : undefined);
    this.#isList = true;
  }

  #begin(text: string, shape: Shape | undefined): void {
    this.#close();
    this.#message = [text.trim()];
    this.#shape = shape;
  }

  #continue(line: string, shape: Shape | undefined, { asks }: LineKind): void {
    if (this.#message.length < LONGEST_MESSAGE) {
      this.#message.push(line.trim());
      this.#shape = this.#shapes.joined(this.#shape, shape);
    } else if (!FILE_OF_LIST.test(line)) {
      this.#found.addUnparsed(line);
    }
    if (asks) this.#close();
  }

  more(piece: string): void {
    if (!(this.#isList && LIST_ITEMS.test(piece))) this.#found.addUnparsed(piece.slice(0, 200));
  }

  /** Lines about the run rather than the file system. True where this was one. */
  #structure(line: string): boolean {
    const version = /^e2fsck (\d+\.\d\S*) \(/.exec(line);
    if (version) {
      this.#close();
      this.#version ??= version[1] as string;
      this.#runs += 1;
      return true;
    }
    const pass = PASS.exec(line)
      ?.slice(1)
      .find((number) => number !== undefined);
    if (pass !== undefined) {
      this.#close();
      this.#pass = Number(pass);
      this.#passes.add(this.#pass);
      return true;
    }
    if (SUMMARY.test(line)) {
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
    if (ABORTED.test(line)) return 'e2fsck aborted';
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

  #question(line: string, shape: Shape | undefined): void {
    if (this.#message.length > 0) {
      // "Rename to a~0" and the like are part of what is found.
      this.#message.push(line);
      this.#shape = this.#shapes.joined(this.#shape, shape);
      this.#close();
    } else if (line === '') {
      return;
    } else if (this.#mayAsk) {
      // "Clone multiply-claimed blocks? no" is followed by "Delete file? no" about the same file.
      const fix = fixOf(line);
      if (this.#last && fix !== undefined) this.#last.fix ??= fix;
    } else if (/[a-z]/.test(line)) {
      this.#add([line], classify([line]));
    } else {
      this.#found.addUnparsed(line);
    }
  }

  /** @param unanswered what became of the repair where the message has no question */
  #close(unanswered?: Finding['fix']): void {
    const message = this.#message;
    if (message.length === 0) return;
    this.#message = [];
    const made = this.#classes.of(this.#shape, () => classify(message));
    if (made.isAboutFileSystem || unanswered !== undefined) this.#add(message, made, unanswered);
    else for (const line of message) this.#found.addUnparsed(line);
  }

  #add(lines: readonly string[], made: MessageClass, unanswered?: Finding['fix']): void {
    this.#mayAsk = true;
    if (!this.#found.wants(made.signature)) {
      this.#last = undefined;
      this.#found.omit(made.signature, made.severity);
      return;
    }
    const message = textOf(lines);
    const fix = made.fix ?? unanswered;
    this.#last = {
      tool: 'e2fsck',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(this.#pass === undefined ? {} : { pass: this.#pass }),
      message: copied(message),
      signature: made.signature,
      severity: made.severity,
      ...(fix === undefined ? {} : { fix }),
      ...readMessage(message).entities,
    };
    this.#found.add(this.#last, this.#runs);
  }

  end(): FsckReport {
    this.#close();
    this.#pass = undefined;
    if (this.#saysErrors && this.#found.findings.every(({ severity }) => severity === 'notice')) {
      this.#add([this.#saysErrors], classify([this.#saysErrors]));
    }
    return this.#found.report('e2fsck', this.#version, this.#incomplete());
  }

  #incomplete(): string | undefined {
    if (this.#aborted !== undefined) return this.#aborted;
    if (this.#summaries < Math.max(1, this.#runs)) {
      if (this.#unchecked) return "e2fsck did not check, it took the superblock's word (no -f)";
      return "the log ends before e2fsck's summary";
    }
    // Both go to standard error, with the errors of its libraries.
    if (this.#runs === 0) return "the log lacks e2fsck's first line: it needs both streams";
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

/** What a line is by itself; what it means depends on what came before. */
interface LineKind {
  isStructure: boolean;
  isQuestion: boolean;
  /** It goes on with the message before it, where there is one. */
  goesOn: boolean;
  isNoise: boolean;
  /** It ends with a question: the message is over. */
  asks: boolean;
}

function kindOf(line: string): LineKind {
  const text = withoutPrefix(line);
  return {
    isStructure: STRUCTURE.test(line),
    isQuestion: text === '' || QUESTION_ALONE.test(text) || FOLLOW_UP.test(text),
    goesOn: text === line && CONTINUATION.test(line),
    isNoise: NOISE.test(text),
    asks: ANY_QUESTION.test(text) || QUESTION_AT_END.test(text),
  };
}

const STRUCTURE = anyOf([
  /^e2fsck \d+\.\d\S* \(/,
  PASS,
  SUMMARY,
  ABORTED,
  PREEN_STOPPED,
  PREEN_ADVICE,
  SIGNAL,
  STACK,
  RESTARTED,
  NOT_CHECKED,
  STILL_HAS_ERRORS,
  WAS_MODIFIED,
]);

/** The lists of files that share blocks are cut. */
const FILE_OF_LIST = /^\t/;

function withoutPrefix(line: string): string {
  return line.includes(':') ? line.replace(PREEN_PREFIX, '') : line;
}

interface MessageClass {
  signature: string;
  severity: Finding['severity'];
  fix: Finding['fix'];
  isAboutFileSystem: boolean;
}

function classify(lines: readonly string[]): MessageClass {
  const text = lines.join('\n');
  const message = textOf(lines);
  const fix = fixOf(text);
  return {
    signature: signature('e2fsck', readMessage(message).class),
    severity: SEVERITIES.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruption',
    fix,
    isAboutFileSystem: fix !== undefined || ABOUT_THE_FILE_SYSTEM.test(text),
  };
}

/** The message as one line, without its question. */
function textOf(lines: readonly string[]): string {
  const text = lines.join('\n');
  const stated = text
    .replace(QUESTION_AT_END, '')
    .replace(ANY_QUESTION, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return (stated === '' ? text : stated).slice(0, LONGEST_TEXT);
}
