import type { Finding } from './finding.js';

/** What the log of a file-system check says. */
export interface FsckReport {
  tool: 'e2fsck' | 'xfs_repair';
  version?: string;
  /**
   * True where the program ran to its end and found nothing but notices, and where every line of
   * the log was understood.
   */
  clean: boolean;
  /** True where the log shows every pass and the program's last words. */
  completed: boolean;
  /** Where it is not completed, why: one clause without the full stop. */
  reason?: string;
  findings: Finding[];
  /** Lines that the grammar does not know. A log that has some is not clean. */
  unparsed: string[];
}

export interface FsckOptions {
  /** The device that was checked, for the findings. The log's own name for it is not used. */
  device?: string;
}

/** A hostile image can make a check print without end. */
const MOST_FINDINGS = 5000;
const MOST_UNPARSED = 1000;

/** Gathers findings and unknown lines up to a limit, then counts. */
export class FsckCollector {
  readonly findings: Finding[] = [];
  readonly #unparsed: string[] = [];
  #omitted = 0;

  /** True where no more findings are kept: making one is work for nothing. */
  get full(): boolean {
    return this.findings.length >= MOST_FINDINGS;
  }

  add(finding: Finding): void {
    if (this.full) this.omit();
    else this.findings.push(finding);
  }

  /** Counts one that is not kept. */
  omit(): void {
    this.#omitted += 1;
  }

  addUnparsed(line: string): void {
    if (this.#unparsed.length < MOST_UNPARSED) this.#unparsed.push(line);
    else this.omit();
  }

  report(
    tool: FsckReport['tool'],
    version: string | undefined,
    incomplete: string | undefined,
  ): FsckReport {
    const unparsed =
      this.#omitted > 0 ? [...this.#unparsed, `… and ${this.#omitted} more`] : this.#unparsed;
    const harmless = this.findings.every((finding) => finding.severity === 'notice');
    return {
      tool,
      ...(version === undefined ? {} : { version }),
      clean: incomplete === undefined && harmless && unparsed.length === 0,
      completed: incomplete === undefined,
      ...(incomplete === undefined ? {} : { reason: incomplete }),
      findings: this.findings,
      unparsed,
    };
  }
}
