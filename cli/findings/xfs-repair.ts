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
import { mayGoOn } from './wrapped-line.js';
import { readMessage } from './xfs-repair-entities.js';
import { LONGEST_NAME, NOISE, OPEN_NAME, SORRY, VERSION } from './xfs-repair-grammar.js';
import { classify, kindOf, type LineKind, type MessageClass, textOf } from './xfs-repair-line.js';
import { XfsRepairRuns } from './xfs-repair-run.js';
import { ThreadedLines } from './xfs-repair-threads.js';

/** Reads the output of xfs_repair, both streams together, as `xfs_repair -n` prints it. */
export function parseXfsRepair(text: string, options: FsckOptions = {}): FsckReport {
  return parseWhole(text, new XfsRepairParser(options));
}

/**
 * A dot for each piece of the device that was searched for a superblock, before the next message.
 */
const SEARCHED = /^\.+(?=[A-Z])/;

export class XfsRepairParser implements FsckParser {
  readonly #device: string | undefined;
  readonly #found = new FsckCollector();
  readonly #runs = new XfsRepairRuns();
  readonly #language = new LogLanguage();
  readonly #shapes = new Shapes();
  readonly #kinds = new ShapeCache<LineKind>();
  readonly #classes = new ShapeCache<MessageClass>();
  #version: string | undefined;
  #message: string[] = [];
  /** The shapes of its lines, if only numbers vary in them. */
  #shape: Shape | undefined;
  /** How many lines still belong to the message, whatever they are. */
  #following = 0;
  /** How the last of these lines ends, if their number varies. */
  #lastFollower: RegExp | undefined;
  /** Whether a name in the message is unfinished: its line breaks do not end the line. */
  #inName = false;
  /** The message's last line, which a mailer may have wrapped. */
  #previous = '';
  /** Whether that line ends where no message ends. */
  #isUnfinished = false;

  readonly #threads = new ThreadedLines();

  constructor({ device }: FsckOptions = {}) {
    this.#device = device;
  }

  get isOver(): boolean {
    return this.#runs.isOver;
  }

  line(raw: string): boolean {
    if (this.#inName) return this.#whole(raw);
    let isOurs = true;
    for (const line of this.#threads.linesOf(raw)) isOurs = this.#whole(line);
    return isOurs;
  }

  #whole(raw: string): boolean {
    if (this.#inName) {
      this.#continueName(raw);
      return true;
    }
    const line = raw.trimEnd().replace(SEARCHED, '');
    const shape = this.#shapes.expected(line) ?? this.#shapes.find(line);
    const kind = this.#kinds.of(shape, () => kindOf(line));
    if (this.#following > 0 && line !== '' && this.#follow(line, shape, kind)) return true;
    if (kind.isOthers) {
      this.#close();
      return false;
    }
    if (kind.foreign) {
      this.#close();
      this.#runs.touch();
      this.#language.add(kind.foreign);
      this.#found.addUnparsed(line);
    } else if (!(kind.isStructure && this.#structure(line))) {
      if (this.#message.length > 0 && (kind.goesOn || this.#isWrapped(line, kind))) {
        this.#continue(line, shape);
      } else {
        this.#begin(line, shape, kind);
      }
      this.#previous = line;
      this.#isUnfinished = kind.isUnfinished;
    }
    return true;
  }

  #isWrapped(line: string, { isRest }: LineKind): boolean {
    return (this.#isUnfinished || isRest) && mayGoOn(this.#previous, line);
  }

  #begin(line: string, shape: Shape | undefined, kind: LineKind): void {
    this.#close();
    this.#message = [line.trim()];
    this.#shape = shape;
    this.#following = kind.followers;
    this.#lastFollower = kind.lastFollower;
    this.#inName = kind.opensName;
  }

  /** @returns false if the line does not belong to a message with a varying number of lines */
  #follow(line: string, shape: Shape | undefined, kind: LineKind): boolean {
    const last = this.#lastFollower;
    if (last && !last.test(line) && (kind.isStructure || kind.isOthers)) {
      this.#close();
      return false;
    }
    this.#continue(line, shape);
    this.#following -= 1;
    if (this.#following === 0 || last?.test(line)) this.#close();
    return true;
  }

  #continue(line: string, shape: Shape | undefined): void {
    this.#message.push(line.trim());
    this.#shape = this.#shapes.joined(this.#shape, shape);
  }

  more(piece: string): void {
    // A dot for each piece of the device that was searched for a superblock.
    const rest = piece.replace(/^\.+/, '');
    if (rest === '') return;
    this.#found.addUnparsed(piece.slice(0, 200));
  }

  #continueName(line: string): void {
    const text = `${this.#message.join(' ')}\n${line}`;
    this.#message = [text];
    this.#shape = undefined;
    this.#inName = OPEN_NAME.test(text) && text.length < LONGEST_NAME;
  }

  /** Lines about the run rather than the file system. True if this was one. */
  #structure(line: string): boolean {
    this.#close();
    if (this.#runs.take(line)) return true;
    this.#version ??= VERSION.exec(line)?.[1];
    return NOISE.test(line);
  }

  #close(): void {
    const lines = this.#message;
    if (lines.length === 0) return;
    this.#message = [];
    this.#following = 0;
    this.#inName = false;
    const made = this.#classes.of(this.#shape, () => classify(lines));
    if (made.isAboutFileSystem) this.#add(lines, made);
    else this.#unknown(lines);
  }

  #unknown(lines: readonly string[]): void {
    const message = textOf(lines);
    // Other programs print before its first phase.
    if (this.#runs.phase !== undefined || !isHarmless(message)) this.#found.addUnparsed(message);
  }

  #add(lines: readonly string[], made: MessageClass): void {
    if (!this.#found.wants(made.signature)) {
      this.#runs.touch();
      this.#found.omit(made.signature, made.severity);
      return;
    }
    const message = textOf(lines);
    // It has given the reason before.
    if (SORRY.test(message) && this.#runs.hasGivenUp) return;
    this.#runs.touch();
    this.#runs.checkedNothing(message);
    const { phase, count } = this.#runs;
    const finding: Finding = {
      tool: 'xfs_repair',
      ...(this.#device === undefined ? {} : { device: this.#device }),
      ...(phase === undefined ? {} : { pass: phase }),
      message: copied(message),
      signature: made.signature,
      severity: made.severity,
      ...(made.fix === undefined ? {} : { fix: made.fix }),
      ...readMessage(message).entities,
    };
    this.#found.add(finding, `${count} ${phase}`, made.isCertain);
  }

  interrupt(): void {
    for (const line of this.#threads.end()) this.#whole(line);
    this.#close();
    this.#runs.finish();
  }

  end(): FsckReport {
    this.interrupt();
    if (this.#language.problem) this.#found.withdrawUncertain();
    return this.#found.report(
      'xfs_repair',
      this.#version,
      this.#language.problem ?? this.#runs.problem,
    );
  }
}
