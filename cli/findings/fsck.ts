import { E2fsckParser } from './e2fsck.js';
import type { Finding } from './finding.js';
import {
  FsckCollector,
  type FsckOptions,
  type FsckParser,
  type FsckReport,
} from './fsck-report.js';
import { LogLines } from './log-lines.js';
import { XfsRepairParser } from './xfs-repair.js';

/**
 * The programs whose logs are known, with the lines by which a log of theirs is recognised.
 * Another program is a line here and a parser beside the two.
 */
const PROGRAMS: ReadonlyArray<{
  tool: FsckReport['tool'];
  line: RegExp;
  parser: new (options?: FsckOptions) => FsckParser;
}> = [
  {
    tool: 'e2fsck',
    line: /^e2fsck \d+\.\d\S* \(\d|^Pass 1: Checking inodes, blocks, and sizes|^(?:e2fsck|fsck\.ext[234]): |: \d+\/\d+ files \(\d+\.\d% non-contiguous\), \d+\/\d+ blocks\s*$|: clean, \d+\/\d+ files, \d+\/\d+ blocks|: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY\.$/,
    parser: E2fsckParser,
  },
  {
    tool: 'xfs_repair',
    line: /^Phase 1 - find and verify superblock|^xfs_repair version |^(?:xfs_repair: |fatal error -- )/,
    parser: XfsRepairParser,
  },
];

/**
 * Reads a log of whichever program wrote it; undefined where it is none that we know. See
 * `FsckReader`.
 */
export function parseFsck(text: string, options: FsckOptions = {}): FsckReport | undefined {
  const reader = new FsckReader(options);
  reader.push(text);
  return reader.end();
}

/**
 * Reads a log of whichever program wrote it, in pieces and in bounded memory.
 *
 * A `.full` file of xfstests is taken as well: of it only what a check printed, which
 * `_check_generic_filesystem`, `_check_xfs_filesystem` and `_repair_test_fs` (common/rc, common/xfs)
 * put between `*** fsck.ext4 output ***` and `*** end fsck.ext4 output`, after a line that names
 * the device. They do so only where the check failed. What else they complain of and have no such
 * section for, a dirty log for one, is in `unparsed`.
 */
export class FsckReader {
  readonly #options: FsckOptions;
  readonly #lines: LogLines;
  /** What is not in a section: the whole log where it has none. */
  readonly #plain: Track;
  readonly #reports: FsckReport[] = [];
  readonly #complaints = new FsckCollector();
  #section: { track: Track; end: string } | undefined;
  #sections = 0;
  /** The check's own words before its section, and the device in them. */
  #announced: { line: string; device: string } | undefined;
  #empty = true;

  constructor(options: FsckOptions = {}) {
    this.#options = options;
    this.#plain = new Track(options);
    this.#lines = new LogLines(
      (line) => this.#line(line),
      (piece) => (this.#section?.track ?? this.#plain).more(piece),
    );
  }

  /** Whether there was nothing but blanks in it. */
  get empty(): boolean {
    return this.#empty;
  }

  push(chunk: string | Uint8Array): void {
    this.#lines.push(chunk);
  }

  end(): FsckReport | undefined {
    this.#lines.end();
    if (this.#section) this.#closeSection(`the log ends before "${this.#section.end}"`);
    this.#complain();
    const plain = this.#plain.end();
    if (this.#sections === 0) return plain;
    // The rest of a .full file is the test's; a check that the test itself ran is not.
    const reports = plain && plain.findings.length > 0 ? [plain, ...this.#reports] : this.#reports;
    return merged(reports, this.#complaints.report('e2fsck', undefined, undefined).unparsed);
  }

  #line(line: string): void {
    if (this.#empty && line.trim() !== '') this.#empty = false;
    if (this.#section) {
      if (line.startsWith(this.#section.end)) this.#closeSection();
      else this.#section.track.line(line);
      return;
    }
    // Nearly all lines are none of xfstests'.
    const first = line.charCodeAt(0);
    if ((first !== STAR && first !== UNDERSCORE) || !this.#markOf(line)) {
      if (this.#sections === 0) this.#plain.line(line);
    }
  }

  /** True where the line is one that xfstests puts around a check's output. */
  #markOf(line: string): boolean {
    const complaint = COMPLAINT.exec(line)?.groups;
    if (complaint) {
      this.#complain();
      this.#announced = { line, device: complaint['device'] ?? '' };
      return true;
    }
    const name = SECTION.exec(line)?.groups?.['name'];
    if (name === undefined) return false;
    const device = this.#options.device ?? this.#announced?.device;
    this.#announced = undefined;
    this.#sections += 1;
    this.#section = {
      track: new Track({ ...this.#options, ...(device ? { device } : {}) }),
      // "xfs_repair -n" begins it, "xfs_repair" ends it.
      end: `*** end ${name.split(' ')[0]} output`,
    };
    return true;
  }

  /** What the check said and gave no output of a program for. */
  #complain(): void {
    if (!this.#announced) return;
    this.#complaints.addUnparsed(this.#announced.line);
    this.#sections += 1;
    this.#announced = undefined;
  }

  #closeSection(cut?: string): void {
    const report = this.#section?.track.end();
    this.#section = undefined;
    if (!report) this.#complaints.addUnparsed('the output of a check that is none we know');
    else if (cut === undefined) this.#reports.push(report);
    else this.#reports.push({ ...report, clean: false, completed: false, reason: cut });
  }
}

const STAR = '*'.charCodeAt(0);
const UNDERSCORE = '_'.charCodeAt(0);
const SECTION = /^\*\*\* (?<name>fsck\.ext[234]|xfs_repair(?: -n)?|e2fsck) output \*\*\*$/;
const COMPLAINT =
  /^_check_(?:generic|xfs)_filesystem: filesystem on (?<device>\S+) (?:is|has|failed) /;

/** One log: its lines wait until one tells whose they are. */
class Track {
  /** Lines before that one; a log of a check has few of them. */
  static readonly #MOST_WAITING = 1000;
  readonly #options: FsckOptions;
  #parser: FsckParser | undefined;
  #waiting: string[] = [];
  #dropped = 0;

  constructor(options: FsckOptions) {
    this.#options = options;
  }

  line(line: string): void {
    this.#parser ??= this.#begin(line);
    if (this.#parser) this.#parser.line(line);
    else if (this.#waiting.length < Track.#MOST_WAITING) this.#waiting.push(line);
    else this.#dropped += 1;
  }

  more(piece: string): void {
    this.#parser?.more(piece);
  }

  end(): FsckReport | undefined {
    return this.#parser?.end();
  }

  /** The parser of the program whose line it is, with what came before. */
  #begin(line: string): FsckParser | undefined {
    const program = PROGRAMS.find((one) => one.line.test(line));
    if (!program) return undefined;
    const parser = new program.parser(this.#options);
    for (const earlier of this.#waiting) parser.line(earlier);
    this.#waiting = [];
    if (this.#dropped > 0) parser.line(`… ${this.#dropped} lines that are left out here`);
    return parser;
  }
}

/** One report of several checks, which a `.full` file has for TEST_DEV and SCRATCH_DEV. */
function merged(reports: FsckReport[], complaints: string[]): FsckReport | undefined {
  const [first] = reports;
  if (!first && complaints.length === 0) return undefined;
  const reason = reports.find((report) => !report.completed)?.reason;
  const omitted = reports.flatMap((report) => report.omitted ?? []);
  const version = reports.find((report) => report.version !== undefined)?.version;
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

/** xfstests checks a device and then repairs it: what both say in the same words is one finding. */
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
