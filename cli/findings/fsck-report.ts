import type { Finding } from './finding.js';

/** The content of a file-system check's log. */
export interface FsckReport {
  tool: 'e2fsck' | 'xfs_repair';
  version?: string;
  /**
   * True if the program ran to its end, found nothing but notices, and every line of the log was
   * understood.
   */
  clean: boolean;
  /** True if the log shows every pass and the program's last words. */
  completed: boolean;
  /** Why it is not complete: one clause without the full stop. */
  reason?: string;
  findings: Finding[];
  /** Counts of findings, by signature, for those not all listed in `findings`. */
  omitted?: OmittedFindings[];
  /** Lines that the grammar does not know. A log with such lines is not clean. */
  unparsed: string[];
}

export interface OmittedFindings {
  signature: string;
  severity: Finding['severity'];
  /** How many more there are than in `findings`. */
  count: number;
}

export interface FsckOptions {
  /** The checked device, for the findings. The log's own name for it is not used. */
  device?: string;
  /**
   * The log holds what one check printed and nothing else, as a guest sends it. A line that is not
   * the check's is then in `unparsed`, however harmless it looks.
   */
  alone?: boolean;
}

/** Reads a log line by line. */
export interface FsckParser {
  /** @returns false if the line belongs to another program */
  line(line: string): boolean;
  /** The rest of a line that was too long for one piece. */
  more(piece: string): void;
  /** Whether the program has printed its last line. Another run may follow. */
  readonly isOver: boolean;
  /** Another program has begun to print: the present run is over, complete or not. */
  interrupt(): void;
  end(): FsckReport;
}

/** A hostile image can make a check print endlessly. */
const MOST_OF_ONE_CLASS = 500;
const MOST_FINDINGS = 5000;
const MOST_CLASSES = 1000;
const MOST_UNPARSED = 1000;
/** The signature under which findings are counted that are neither kept nor of a class that is. */
const OTHERS = 'others';

/**
 * Gathers findings and unknown lines up to a limit, then counts. A class that floods the log takes
 * no place from the others: the first of each is always kept.
 */
export class FsckCollector {
  readonly findings: Finding[] = [];
  readonly #classes = new Map<string, number>();
  readonly #omitted = new Map<string, OmittedFindings>();
  readonly #places = new Map<string, { place: unknown; finding: Finding }>();
  readonly #unparsed: string[] = [];
  readonly #uncertain = new Set<Finding>();
  #unparsedOmitted = 0;

  /** Whether one more of this class is kept. If not, it need only be counted. */
  wants(signature: string): boolean {
    const count = this.#classes.get(signature) ?? 0;
    if (count === 0) return this.#classes.size < MOST_CLASSES;
    return count < MOST_OF_ONE_CLASS && this.findings.length < MOST_FINDINGS;
  }

  /**
   * @param place where in the log it is: a second check, or another phase, reports the same damage
   * in the same words, and that is one finding
   * @param isCertain whether the line can only be a message in English
   */
  add(finding: Finding, place?: unknown, isCertain = true): void {
    if (this.#isToldAgain(finding, place)) return;
    if (!this.wants(finding.signature)) {
      this.omit(finding.signature, finding.severity);
      return;
    }
    this.#classes.set(finding.signature, (this.#classes.get(finding.signature) ?? 0) + 1);
    this.findings.push(finding);
    if (!isCertain) this.#uncertain.add(finding);
    if (!this.#places.has(finding.message)) this.#places.set(finding.message, { place, finding });
  }

  #isToldAgain({ message, fix }: Finding, place: unknown): boolean {
    const known = this.#places.get(message);
    if (!known || known.place === place) return false;
    // The check found it, and it was repaired afterwards.
    if (fix === 'made') known.finding.fix = fix;
    return true;
  }

  /** The log is in another language: what looked like a message was not understood. */
  withdrawUncertain(): void {
    const certain = this.findings.filter((finding) => !this.#uncertain.has(finding));
    this.findings.splice(0, this.findings.length, ...certain);
    for (const { message } of this.#uncertain) this.addUnparsed(message);
    this.#uncertain.clear();
  }

  omit(signature: string, severity: Finding['severity']): void {
    const name = this.#classes.has(signature) ? signature : `${signature.split(':')[0]}:${OTHERS}`;
    const known = this.#omitted.get(name);
    if (known) known.count += 1;
    else this.#omitted.set(name, { signature: name, severity, count: 1 });
  }

  addUnparsed(line: string): void {
    if (this.#unparsed.length < MOST_UNPARSED) this.#unparsed.push(copied(line));
    else this.#unparsedOmitted += 1;
  }

  report(
    tool: FsckReport['tool'],
    version: string | undefined,
    incomplete: string | undefined,
  ): FsckReport {
    const omitted = [...this.#omitted.values()];
    const unparsed =
      this.#unparsedOmitted > 0
        ? [...this.#unparsed, `… and ${this.#unparsedOmitted} more`]
        : this.#unparsed;
    const harmless = [...this.findings, ...omitted].every(({ severity }) => severity === 'notice');
    return {
      tool,
      ...(version === undefined ? {} : { version }),
      clean: incomplete === undefined && harmless && unparsed.length === 0,
      completed: incomplete === undefined,
      ...(incomplete === undefined ? {} : { reason: incomplete }),
      findings: this.findings,
      ...(omitted.length > 0 ? { omitted } : {}),
      unparsed,
    };
  }
}

/**
 * Merges several checks into one report.
 *
 * @param complaints lines outside the checks that were not understood
 */
export function mergedReports(reports: FsckReport[], complaints: string[]): FsckReport | undefined {
  const [first] = reports;
  if (complaints.length === 0 && reports.length <= 1) return first;
  const reason = reports.find((report) => !report.completed)?.reason;
  const omitted = reports.flatMap((report) => report.omitted ?? []);
  const version = reports.find(
    (report) => report.version !== undefined && report.tool === first?.tool,
  )?.version;
  return {
    tool: first?.tool ?? 'xfs_repair',
    ...(version === undefined ? {} : { version }),
    clean: reports.every((report) => report.clean) && complaints.length === 0,
    completed: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    findings: withoutRepeats(reports),
    ...(omitted.length > 0 ? { omitted } : {}),
    unparsed: [...reports.flatMap((report) => report.unparsed), ...complaints],
  };
}

/**
 * xfstests checks a device and then repairs it: if both print the same words, it is one finding.
 */
function withoutRepeats(reports: readonly FsckReport[]): Finding[] {
  const first = new Map<string, { finding: Finding; report: FsckReport }>();
  return reports.flatMap((report) =>
    report.findings.filter((finding) => {
      const key = `${finding.device} ${finding.message}`;
      const known = first.get(key);
      if (!known) first.set(key, { finding, report });
      if (!known || known.report === report) return true;
      if (finding.fix === 'made') known.finding.fix = 'made';
      return false;
    }),
  );
}

/** Copies a text: a slice would keep the whole piece of the log in memory. */
export function copied(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
