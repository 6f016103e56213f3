import {
  CHECKED_NOTHING,
  GAVE_UP,
  LAST_WORDS,
  PHASE,
  SKIPS_PHASES_6_AND_7,
} from './xfs-repair-grammar.js';

const GENERAL = 'xfs_repair gave up';

/**
 * How far the runs of xfs_repair in a log came: the phases and the end that each printed. A log is
 * complete if every run in it is.
 */
export class XfsRepairRuns {
  /** The phase that the present lines belong to. */
  phase: number | undefined;
  /** How many runs have begun. */
  count = 0;
  /** Whether the present run has printed what it prints last. */
  isOver = false;
  readonly #phases = new Set<number>();
  #skipped: number[] = [];
  #gaveUp: string | undefined;
  #open = false;
  /** Why the first incomplete run is incomplete. */
  #problem: string | undefined;

  /** Whether the line shows how far a run came, and says nothing about the file system. */
  take(line: string): boolean {
    const phase = PHASE.exec(line)?.[1];
    if (phase !== undefined) {
      // xfs_repair prints what it could not open before its first phase.
      if ((phase === '1' && this.#phases.size > 0) || this.isOver) this.finish();
      this.touch();
      this.phase = Number(phase);
      this.#phases.add(this.phase);
      return true;
    }
    if (LAST_WORDS.test(line)) {
      this.touch();
      this.isOver = true;
      return true;
    }
    if (GAVE_UP.test(line)) this.#gaveUp ??= GENERAL;
    if (SKIPS_PHASES_6_AND_7.test(line)) this.#skipped = [6, 7];
    return false;
  }

  /** Any line of a run. */
  touch(): void {
    if (this.#open && !this.isOver) return;
    this.finish();
    this.#open = true;
    this.count += 1;
  }

  /** Whether the present run has said why it checks nothing. */
  get hasGivenUp(): boolean {
    return this.#gaveUp !== undefined && this.#gaveUp !== GENERAL;
  }

  /** A message that says why nothing was checked. */
  checkedNothing(message: string): void {
    const why = CHECKED_NOTHING.find(([pattern]) => pattern.test(message))?.[1];
    if (why !== undefined) this.#gaveUp = why;
  }

  /** The present run is over, complete or not. */
  finish(): void {
    if (this.#open) this.#problem ??= this.#whyIncomplete();
    this.#open = false;
    this.isOver = false;
    this.phase = undefined;
    this.#phases.clear();
    this.#skipped = [];
    this.#gaveUp = undefined;
  }

  /** After `finish`: why the log proves nothing; undefined if every run in it is complete. */
  get problem(): string | undefined {
    return this.count === 0 ? "the log ends before xfs_repair's last line" : this.#problem;
  }

  #whyIncomplete(): string | undefined {
    if (this.#gaveUp !== undefined) return this.#gaveUp;
    if (!this.isOver) return "the log ends before xfs_repair's last line";
    // Phase 5 rebuilds; with -n it is skipped.
    const missing = [1, 2, 3, 4, 6, 7].filter(
      (phase) => !this.#phases.has(phase) && !this.#skipped.includes(phase),
    );
    return missing.length > 0 ? `the log lacks phase ${missing.join(', ')}` : undefined;
  }
}
