import { signOf } from './fsck-programs.js';
import { FsckCollector, type FsckOptions, type FsckReport, mergedReports } from './fsck-report.js';
import { FsckTrack } from './fsck-track.js';
import { LogLines } from './log-lines.js';
import { PastedLog } from './pasted-log.js';

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
  readonly #pasted: PastedLog;
  /** Everything outside a section: the whole log if it has none. */
  readonly #plain: FsckTrack;
  readonly #reports: FsckReport[] = [];
  readonly #complaints = new FsckCollector();
  #section: { track: FsckTrack; end: string } | undefined;
  #sections = 0;
  /** The check's own words before its section, with the device. */
  #announced: { line: string; device: string } | undefined;
  #empty = true;

  constructor(options: FsckOptions = {}) {
    this.#options = options;
    this.#plain = new FsckTrack(options);
    this.#pasted = new PastedLog({
      line: (line) => this.#line(line),
      beside: (line) => this.#track.beside(line),
      isBusy: () => this.#track.isBusy,
      columnOf: (line) => signOf(line)?.column ?? columnOfSection(line),
    });
    this.#lines = new LogLines(
      (line) => this.#raw(line),
      (piece) => {
        if (!this.#pasted.more(piece)) this.#track.more(piece);
      },
    );
  }

  /** Whether it contained only blanks. */
  get empty(): boolean {
    return this.#empty;
  }

  push(chunk: string | Uint8Array): void {
    this.#lines.push(chunk);
  }

  end(): FsckReport | undefined {
    this.#lines.end();
    this.#pasted.end();
    if (this.#section) this.#closeSection(`the log ends before "${this.#section.end}"`);
    this.#complain();
    const plain = this.#plain.end();
    if (this.#sections === 0) return plain;
    // The rest of a .full file belongs to the test; a check that the test itself ran does not
    // count.
    const reports = plain && plain.findings.length > 0 ? [plain, ...this.#reports] : this.#reports;
    return mergedReports(reports, this.#complaints.report('e2fsck', undefined, undefined).unparsed);
  }

  get #track(): FsckTrack {
    return this.#section?.track ?? this.#plain;
  }

  #raw(line: string): void {
    if (this.#empty && line.trim() !== '') this.#empty = false;
    this.#pasted.line(line);
  }

  #line(line: string): void {
    if (this.#section) {
      if (line.startsWith(this.#section.end)) this.#closeSection();
      else this.#section.track.line(line);
      return;
    }
    // Nearly no line comes from xfstests.
    const first = line.charCodeAt(0);
    if ((first !== STAR && first !== UNDERSCORE) || !this.#markOf(line)) {
      if (this.#sections === 0) this.#plain.line(line);
    }
  }

  /** True for a line that xfstests prints around a check's output. */
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
      track: new FsckTrack({ ...this.#options, ...(device ? { device } : {}) }),
      // "xfs_repair -n" begins it, "xfs_repair" ends it.
      end: `*** end ${name.split(' ')[0]} output`,
    };
    return true;
  }

  /** The check's message, if it has no output of a program. */
  #complain(): void {
    if (!this.#announced) return;
    this.#complaints.addUnparsed(this.#announced.line);
    this.#sections += 1;
    this.#announced = undefined;
  }

  #closeSection(cut?: string): void {
    const report = this.#section?.track.end();
    this.#section = undefined;
    if (!report) this.#complaints.addUnparsed('the output of an unknown check');
    else if (cut === undefined) this.#reports.push(report);
    else this.#reports.push({ ...report, clean: false, completed: false, reason: cut });
  }
}

const STAR = '*'.charCodeAt(0);
const UNDERSCORE = '_'.charCodeAt(0);
const SECTION = /^\*\*\* (?<name>fsck\.ext[234]|xfs_repair(?: -n)?|e2fsck) output \*\*\*$/;
const COMPLAINT =
  /^_check_(?:generic|xfs)_filesystem: filesystem on (?<device>\S+) (?:is|has|failed) /;

/** The column where a line of xfstests begins; undefined if there is none. */
function columnOfSection(line: string): number | undefined {
  const column = line.search(
    /\*{3} (?:fsck|e2fsck|xfs_repair|end |xfs_logprint)|_check_(?:generic|xfs)_filesystem: /,
  );
  return column < 0 ? undefined : column;
}
