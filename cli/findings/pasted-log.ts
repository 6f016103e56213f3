import type { LogForm } from './log-form.js';
import { jsonFormOf } from './log-json.js';
import { formOf } from './log-prefix.js';

/** Lines that wait until one shows their form. */
const MOST_WAITING = 1000;

export interface PastedLogTaker {
  /** A line as the program printed it. */
  line(line: string): void;
  /** A line without the form of the log around it. */
  beside(line: string): void;
  /** Whether the present lines are a program's own: then no form is looked for. */
  isBusy(): boolean;
  /** The column at which a program's own words begin; undefined if the line may be anybody's. */
  columnOf(line: string): number | undefined;
}

/**
 * Takes the lines of a pasted log and passes on the program's own: without the prefix that they
 * share, and extracted from JSON. Lines before the first that shows the form wait for it.
 */
export class PastedLog {
  readonly #taker: PastedLogTaker;
  #form: LogForm | undefined;
  /** A form that the next line must confirm, and the line without it. */
  #candidate: { form: LogForm; own: string } | undefined;
  #waiting: string[] = [];
  #dropped = 0;

  constructor(taker: PastedLogTaker) {
    this.#taker = taker;
  }

  line(raw: string): void {
    if (this.#form) this.#formed(this.#form, raw);
    else if (this.#candidate) this.#confirm(this.#candidate, raw);
    else if (this.#taker.isBusy()) this.#taker.line(raw);
    else this.#seek(raw);
  }

  /** The rest of a line that was too long; undefined if this log does not read it. */
  more(piece: string): boolean {
    if (!this.#form?.more) return false;
    this.#hand(this.#form.more(piece));
    return true;
  }

  end(): void {
    this.#hand(this.#form?.end?.() ?? []);
    const own = this.#candidate?.own;
    if (own !== undefined) this.#waiting.pop();
    this.#candidate = undefined;
    this.#release();
    if (own !== undefined) this.#taker.line(own);
  }

  #formed(form: LogForm, raw: string): void {
    this.#hand(form.end?.() ?? []);
    const lines = form.linesOf(raw);
    if (lines) {
      this.#hand(lines);
    } else if (this.#taker.columnOf(raw) !== undefined || jsonFormOf(raw)) {
      this.#form = undefined;
      this.#seek(raw);
    } else if (form.isLoose) {
      this.#taker.line(raw);
    } else {
      this.#taker.beside(raw);
    }
  }

  #seek(raw: string): void {
    const json = jsonFormOf(raw);
    const column = json ? undefined : this.#taker.columnOf(raw);
    if (!json && column === undefined) {
      this.#wait(raw);
      return;
    }
    const form = json ?? formOf(raw, column ?? 0);
    if (form && !form.isCertain) {
      this.#candidate = { form, own: raw.slice(column) };
      this.#waiting.push(raw);
      return;
    }
    this.#settle(form);
    this.#hand(form?.linesOf(raw) ?? [raw]);
  }

  #confirm({ form, own }: { form: LogForm; own: string }, raw: string): void {
    if (raw.trim() === '') return;
    this.#candidate = undefined;
    const lines = form.linesOf(raw);
    if (lines) {
      this.#settle(form);
      this.#hand(lines);
      return;
    }
    // It was only a prefix of the first line.
    this.#waiting.pop();
    this.#settle(undefined);
    this.#taker.line(own);
    this.line(raw);
  }

  #wait(raw: string): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(raw);
    else this.#dropped += 1;
  }

  /** The waiting lines have this form. */
  #settle(form: LogForm | undefined): void {
    this.#form = form;
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    const form = this.#form;
    this.#waiting = [];
    for (const raw of waiting) {
      if (form) this.#formed(form, raw);
      else this.#taker.line(raw);
    }
    if (this.#dropped > 0) this.#taker.beside(`… ${this.#dropped} lines that are omitted here`);
    this.#dropped = 0;
  }

  #hand(lines: readonly string[]): void {
    for (const line of lines) this.#taker.line(line);
  }
}
