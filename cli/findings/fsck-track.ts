import { type FsckProgram, signOf } from './fsck-programs.js';
import {
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
  mergedReports,
} from './fsck-report.js';
import { isHarmless, PROMPT, STARTS_CHECK } from './other-lines.js';

/** Lines that wait until another shows whose they are; few in the log of a check. */
const MOST_WAITING = 1000;

/**
 * One log: tells which lines are a check's, and of which program. Others may stand before, between
 * and after the runs: a shell's prompts, what other tools print.
 */
export class FsckTrack {
  readonly #options: FsckOptions;
  readonly #parsers = new Map<FsckProgram, FsckParser>();
  /** The program whose run the present lines belong to, or belonged to last. */
  #program: FsckProgram | undefined;
  readonly #beside = new FsckCollector();
  #waiting: string[] = [];
  /** Whether the present lines come from a command at a prompt that is not a check. */
  #isOtherCommand = false;

  constructor(options: FsckOptions) {
    this.#options = options;
  }

  /** Whether a run has begun and not ended. */
  get isBusy(): boolean {
    const parser = this.#parser;
    return parser !== undefined && !parser.isOver;
  }

  get #parser(): FsckParser | undefined {
    return this.#program && this.#parsers.get(this.#program);
  }

  line(line: string): void {
    const parser = this.#parser;
    if (parser && !parser.isOver) {
      if (parser.line(line)) return;
      if (!this.#endsRun(line)) {
        this.beside(line);
        return;
      }
      parser.interrupt();
      this.#program = undefined;
    }
    this.#seek(line);
  }

  more(piece: string): void {
    if (this.isBusy) this.#parser?.more(piece);
    else this.beside(piece.slice(0, 200));
  }

  /** A line that does not belong to a check. */
  beside(line: string): void {
    const isForeign = this.#options.alone === true && line.trim() !== '';
    if (isForeign || !isHarmless(line)) this.#beside.addUnparsed(line);
  }

  /** @returns undefined if there is nothing from a known program */
  end(): FsckReport | undefined {
    if (this.#parsers.size === 0) return undefined;
    this.#dismiss();
    const reports = [...this.#parsers.values()].map((parser) => parser.end());
    const { unparsed } = this.#beside.report('e2fsck', undefined, undefined);
    return mergedReports(reports, unparsed);
  }

  #endsRun(line: string): boolean {
    const program = signOf(line)?.program;
    return PROMPT.test(line) || (program !== undefined && program !== this.#program);
  }

  #seek(line: string): void {
    if (this.#program?.isNoise(line)) return;
    if (PROMPT.test(line)) {
      this.#dismiss();
      this.#program = undefined;
      this.#isOtherCommand = !STARTS_CHECK.test(line);
      return;
    }
    const program = signOf(line)?.program;
    if (program) this.#begin(program, line);
    else this.#wait(line);
  }

  #begin(program: FsckProgram, line: string): void {
    const parser = this.#parserOf(program);
    this.#isOtherCommand = false;
    if (program.isFirst(line)) this.#dismiss(program);
    this.#program = program;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const earlier of waiting) if (!parser.line(earlier)) this.beside(earlier);
    if (!parser.line(line)) this.beside(line);
  }

  #parserOf(program: FsckProgram): FsckParser {
    let parser = this.#parsers.get(program);
    if (!parser) {
      parser = new program.parser(this.#options);
      this.#parsers.set(program, parser);
    }
    return parser;
  }

  #wait(line: string): void {
    if (this.#isOtherCommand) return;
    if (this.#waiting.length >= MOST_WAITING) {
      const first = this.#waiting.shift();
      if (first !== undefined && this.#parsers.size > 0) this.beside(first);
    }
    this.#waiting.push(line);
  }

  /** The waiting lines do not belong to a check. */
  #dismiss(program?: FsckProgram): void {
    for (const line of this.#waiting) if (!program?.isNoise(line)) this.beside(line);
    this.#waiting = [];
  }
}
