import { readMessage } from './e2fsck-entities.js';
import {
  EXPLAINS_CHANGES,
  LIST_ITEMS,
  LISTS,
  PREEN_STOPPED,
  STRUCTURE_ASIDE,
} from './e2fsck-grammar.js';
import {
  classify,
  fixOf,
  isWhole,
  kindOf,
  type LineKind,
  type MessageClass,
  textOf,
  withoutPrefix,
} from './e2fsck-line.js';
import { E2fsckRuns } from './e2fsck-run.js';
import type { Finding } from './finding.js';
import {
  copied,
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
} from './fsck-report.js';
import { LogLanguage } from './log-language.js';
import { parseWhole } from './log-lines.js';
import { isHarmless } from './other-lines.js';
import { type Shape, ShapeCache, Shapes } from './shape.js';
import { signature } from './signature.js';
import { mayGoOn } from './wrapped-line.js';

/** No message of e2fsck has more lines: lists of files that share blocks are truncated. */
const LONGEST_MESSAGE = 12;

/** The answer to a question, if a mailer wrapped the line between them. */
const ANSWER_ALONE = /^(?:no|yes)$/;

/** Lists of files that share blocks are truncated. */
const FILE_OF_LIST = /^\t/;

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
  readonly #runs = new E2fsckRuns();
  readonly #language = new LogLanguage();
  readonly #shapes = new Shapes();
  /** For lists, only the first words. */
  readonly #lists = new Shapes();
  readonly #kinds = new ShapeCache<LineKind>();
  readonly #classes = new ShapeCache<MessageClass>();
  /** The message being read. */
  #message: string[] = [];
  /** The shapes of its lines, if only numbers vary in them. */
  #shape: Shape | undefined;
  /** Whether the message is one line of numbers, which may continue. */
  #isList = false;
  /** Whether the message begins with a device. */
  #hasPrefix = false;
  /** The message's last line, which a mailer may have wrapped. */
  #previous = '';
  /** Whether that line ends where no message ends. */
  #isUnfinished = false;
  /** Whether a question on a line of its own still belongs to the message before it. */
  #mayAsk = false;
  /** The last finding added, until another message ends: its question may follow an empty line. */
  #last: Finding | undefined;
  /** The beginning of a line that a mailer wrapped. */
  #cut: string | undefined;

  constructor({ device }: FsckOptions = {}) {
    this.#device = device;
  }

  get isOver(): boolean {
    return this.#runs.isOver;
  }

  line(raw: string): boolean {
    const line = raw.trimEnd();
    this.#isList = false;
    if (this.#cut !== undefined) return this.#joined(line);
    if (line === '') {
      this.#close();
      return true;
    }
    let shape = this.#shapes.expected(line);
    if (!shape) {
      const list = LISTS.exec(line)?.[0];
      if (list !== undefined) {
        this.#list(line, list);
        return true;
      }
      shape = this.#shapes.find(line);
    }
    return this.#read(line, shape);
  }

  #read(line: string, shape: Shape | undefined): boolean {
    const kind = this.#kinds.of(shape, () => kindOf(line));
    if (kind.isOthers) {
      this.#close();
      return false;
    }
    if (kind.isStructure) {
      this.#structure(line);
    } else if (kind.foreign) {
      this.#close();
      this.#runs.touch();
      this.#language.add(kind.foreign);
      this.#found.addUnparsed(line);
    } else if (ANSWER_ALONE.test(line) && this.#last?.fix === 'offered') {
      this.#last.fix = line.startsWith('yes') ? 'made' : 'refused';
    } else if (kind.isCut) {
      this.#cut = line;
    } else if (kind.isQuestion) {
      this.#question(withoutPrefix(line), shape);
    } else if (this.#message.length > 0 && (kind.goesOn || this.#isWrapped(line, kind))) {
      this.#continue(line, shape, kind);
    } else if (kind.isNoise) {
      this.#close();
      if (EXPLAINS_CHANGES.test(line)) this.#runs.isChangeExplained = true;
    } else {
      this.#begin(withoutPrefix(line), shape);
      this.#previous = line;
      this.#hasPrefix = kind.hasPrefix;
      this.#isUnfinished = kind.isUnfinished;
      if (kind.asks) this.#close();
    }
    return true;
  }

  #isWrapped(line: string, { isRest }: LineKind): boolean {
    return (this.#isUnfinished || isRest) && mayGoOn(this.#previous, line);
  }

  /** A wrapped line, rejoined if that makes a line that e2fsck prints. */
  #joined(line: string): boolean {
    const first = this.#cut ?? '';
    this.#cut = undefined;
    const whole = `${first} ${line}`;
    if (isWhole(whole)) return this.#read(whole, undefined);
    const kind = kindOf(first);
    this.#read(first, undefined);
    if (kind.isCut && this.#cut !== undefined) {
      this.#cut = undefined;
      this.#found.addUnparsed(first);
    }
    return this.line(line);
  }

  /** A message that is one line of numbers: its first words are its shape. */
  #list(line: string, words: string): void {
    if (STRUCTURE_ASIDE.test(words)) {
      this.#close();
      this.#runs.isChangeExplained = true;
      return;
    }
    const isWholeList = LIST_ITEMS.test(line.slice(words.length));
    this.#begin(line, isWholeList ? this.#lists.find(words) : undefined);
    this.#isList = true;
  }

  #begin(text: string, shape: Shape | undefined): void {
    this.#close();
    this.#message = [text.trim()];
    this.#shape = shape;
    this.#previous = '';
    this.#hasPrefix = false;
    this.#isUnfinished = false;
  }

  #continue(line: string, shape: Shape | undefined, { asks, isUnfinished }: LineKind): void {
    if (this.#message.length < LONGEST_MESSAGE) {
      this.#message.push(line.trim());
      this.#shape = this.#shapes.joined(this.#shape, shape);
      this.#previous = line;
      this.#isUnfinished = isUnfinished;
    } else if (!FILE_OF_LIST.test(line)) {
      this.#found.addUnparsed(line);
    }
    if (asks) this.#close();
  }

  more(piece: string): void {
    if (!(this.#isList && LIST_ITEMS.test(piece))) this.#found.addUnparsed(piece.slice(0, 200));
  }

  /** Lines about the run rather than the file system. */
  #structure(line: string): void {
    // The last question got no answer.
    if (PREEN_STOPPED.test(line)) {
      this.#close('offered');
      if (this.#last) this.#last.fix ??= 'offered';
    } else {
      this.#close();
    }
    this.#mayAsk = false;
    this.#runs.take(line);
  }

  #question(line: string, shape: Shape | undefined): void {
    if (this.#message.length > 0) {
      // "Rename to a~0" and the like are part of the message.
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

  /** @param unanswered what became of the repair if the message has no question */
  #close(unanswered?: Finding['fix']): void {
    const message = this.#message;
    if (message.length === 0) return;
    this.#message = [];
    const made = this.#classes.of(this.#shape, () => classify(message));
    if (this.#isFinding(made) || unanswered !== undefined) this.#add(message, made, unanswered);
    else this.#unknown(message);
  }

  /** Before e2fsck's first line other programs print, unless it preens. */
  #isFinding({ isAboutFileSystem, isCertain }: MessageClass): boolean {
    return isAboutFileSystem && (isCertain || this.#hasPrefix || this.#runs.hasBegun);
  }

  #unknown(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#runs.hasBegun || !isHarmless(line)) this.#found.addUnparsed(line);
    }
  }

  #add(lines: readonly string[], made: MessageClass, unanswered?: Finding['fix']): void {
    this.#mayAsk = true;
    this.#runs.touch();
    if (!this.#found.wants(made.signature)) {
      this.#last = undefined;
      this.#found.omit(made.signature, made.severity);
      return;
    }
    const message = textOf(lines);
    const fix = made.fix ?? unanswered;
    const { pass } = this.#runs;
    this.#last = {
      tool: 'e2fsck',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(pass === undefined ? {} : { pass }),
      message: copied(message),
      signature: made.signature,
      severity: made.severity,
      ...(fix === undefined ? {} : { fix }),
      ...readMessage(message).entities,
    };
    this.#runs.checkedNothing(message);
    this.#found.add(this.#last, this.#runs.count, made.isCertain);
  }

  interrupt(): void {
    this.#flush();
    this.#runs.finish();
  }

  #flush(): void {
    const cut = this.#cut;
    this.#cut = undefined;
    if (cut !== undefined) this.#found.addUnparsed(cut);
    this.#close();
  }

  end(): FsckReport {
    this.#flush();
    this.#runs.finish();
    if (this.#language.problem) this.#found.withdrawUncertain();
    else this.#addVerdict();
    return this.#found.report(
      'e2fsck',
      this.#runs.version,
      this.#language.problem ?? this.#runs.problem,
    );
  }

  /** Adds e2fsck's verdict on the whole if no message shows its reason. */
  #addVerdict(): void {
    const { verdict, isChangeExplained } = this.#runs;
    if (verdict === undefined) return;
    const { findings } = this.#found;
    if (!findings.every(({ severity }) => severity === 'notice')) return;
    if (verdict === 'modified' && findings.some(({ fix }) => fix === 'made')) return;
    const message =
      verdict === 'modified' ? 'File system was modified' : 'Filesystem still has errors';
    this.#found.add({
      tool: 'e2fsck',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      message,
      signature: signature('e2fsck', message.toLowerCase().replaceAll(' ', '-')),
      severity: verdict === 'modified' && isChangeExplained ? 'notice' : 'corruption',
    });
  }
}
