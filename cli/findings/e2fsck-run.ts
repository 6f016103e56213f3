import {
  ABORTED,
  CHECKED_NOTHING,
  EXPLAINS_CHANGES,
  NOT_CHECKED,
  PASS,
  PREEN_STOPPED,
  RESTARTED,
  SIGNAL,
  STILL_HAS_ERRORS,
  SUMMARY,
  VERSION,
  WAS_MODIFIED,
} from './e2fsck-grammar.js';

/**
 * How far the runs of e2fsck in a log came: the version, the passes and the end that each printed.
 * A log is complete if every run in it is.
 */
export class E2fsckRuns {
  version: string | undefined;
  /** The pass that the present lines belong to. */
  pass: number | undefined;
  /** How many runs have begun, including those whose first line is missing. */
  count = 0;
  /** e2fsck's own verdict on the file system, if it printed one. */
  verdict: 'still-has-errors' | 'modified' | undefined;
  /** Whether something other than a repair explains why e2fsck wrote to the file system. */
  isChangeExplained = false;
  /** Whether the present run has printed its last line. */
  isOver = false;
  /** Whether a run has printed its first line, or one of its passes. */
  hasBegun = false;
  readonly #passes = new Set<number>();
  #hasFirstLine = false;
  #hasSummary = false;
  #hasSkipped = false;
  #open = false;
  /** Why the present run stopped. */
  #aborted: string | undefined;
  /** Why the first incomplete run is incomplete. */
  #problem: string | undefined;

  /** Any line of a run. */
  touch(): void {
    if (this.#open && !this.isOver) return;
    this.#begin(false);
  }

  /** Whether the line shows how far a run came. `pass` and `count` include it. */
  take(line: string): boolean {
    const version = VERSION.exec(line)?.[1];
    if (version !== undefined) {
      this.finish();
      this.#begin(true);
      this.version ??= version;
      return true;
    }
    const pass = PASS.exec(line)
      ?.slice(1)
      .find((number) => number !== undefined);
    if (pass !== undefined) {
      this.touch();
      this.hasBegun = true;
      this.pass = Number(pass);
      this.#passes.add(this.pass);
      if (EXPLAINS_CHANGES.test(line)) this.isChangeExplained = true;
      return true;
    }
    return this.#ending(line);
  }

  #ending(line: string): boolean {
    const isSummary = SUMMARY.test(line);
    if (isSummary || NOT_CHECKED.test(line)) {
      this.touch();
      if (isSummary) this.#hasSummary = true;
      else this.#hasSkipped = true;
      this.isOver = true;
      return true;
    }
    if (STILL_HAS_ERRORS.test(line)) {
      this.verdict = 'still-has-errors';
      return true;
    }
    if (WAS_MODIFIED.test(line)) {
      this.verdict ??= 'modified';
      return true;
    }
    if (RESTARTED.test(line)) {
      this.#passes.clear();
      this.pass = undefined;
      return true;
    }
    const aborted = whyAborted(line);
    this.#aborted ??= aborted;
    return aborted !== undefined;
  }

  get isAborted(): boolean {
    return this.#aborted !== undefined;
  }

  /** A message that says why nothing was checked. */
  checkedNothing(message: string): void {
    this.#aborted ??= CHECKED_NOTHING.find(([pattern]) => pattern.test(message))?.[1];
  }

  #begin(hasFirstLine: boolean): void {
    this.finish();
    this.count += 1;
    this.hasBegun ||= hasFirstLine;
    this.#open = true;
    this.#hasFirstLine = hasFirstLine;
    this.isOver = false;
  }

  /** The present run is over, complete or not. */
  finish(): void {
    if (this.#open) this.#problem ??= this.#whyIncomplete();
    this.#open = false;
    this.isOver = false;
    this.pass = undefined;
    this.#passes.clear();
    this.#hasSummary = false;
    this.#hasSkipped = false;
    this.#aborted = undefined;
  }

  /** After `finish`: why the log proves nothing; undefined if every run in it is complete. */
  get problem(): string | undefined {
    if (this.count === 0) return "the log ends before e2fsck's summary";
    return this.#problem;
  }

  #whyIncomplete(): string | undefined {
    if (this.#aborted !== undefined) return this.#aborted;
    if (!this.#hasSummary) {
      return this.#hasSkipped
        ? 'e2fsck did not check, it trusted the superblock (no -f)'
        : "the log ends before e2fsck's summary";
    }
    if (!this.#hasFirstLine) {
      // The first line goes to standard error, with the errors of its libraries.
      return this.#passes.size > 0
        ? "the log lacks e2fsck's first line: it must contain both streams"
        : 'e2fsck preened (-p): it prints neither its version nor its passes, so nothing shows that the log is complete; check with -fn';
    }
    const missing = [1, 2, 3, 4, 5].filter((pass) => !this.#passes.has(pass));
    return missing.length > 0 ? `the log lacks pass ${missing.join(', ')}` : undefined;
  }
}

function whyAborted(line: string): string | undefined {
  if (ABORTED.test(line)) return 'e2fsck aborted';
  if (PREEN_STOPPED.test(line))
    return 'e2fsck stopped, because preening does not repair what it found';
  if (SIGNAL.test(line)) return `e2fsck was killed: ${line.slice(0, 80)}`;
  return undefined;
}
