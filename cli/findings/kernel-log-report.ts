import type { Finding } from './finding.js';
import type { OmittedFindings } from './fsck-report.js';
import { isHead, recognize } from './kernel-grammar.js';
import { kernelLines } from './kernel-line.js';
import { KernelLogWatcher } from './kernel-log.js';
import { QUOTATION, type Stripped, unknownPrefix, withoutPrefix } from './kernel-prefix.js';
import { escapedLines, linesIn } from './kernel-text.js';
import { LogLines } from './log-lines.js';

/** The content of a kernel log, in the contract's form for `daxrepro log --json`. */
export interface KernelLogReport {
  tool: 'kernel';
  /** Of the first kernel in the log: `6.1.0-56-amd64`. */
  release?: string;
  /** Nothing but notices, and no gap. */
  clean: boolean;
  /** False if lines of the log are known to be missing. */
  completed: boolean;
  /** Why it is not complete. */
  reason?: string;
  findings: Finding[];
  omitted?: OmittedFindings[];
}

/** Lines that decide the form of a log. */
const SAMPLE = 200;
/** A log with longer lines was not wrapped by a mailer. */
const LONGEST_WRAPPED = 100;
const SHORTEST_WRAPPED = 50;

/** Lines that the kernel prints when all is well, for logs without stamps. */
const KERNELS_OWN =
  /^(?:Linux version \d|Command line: |Kernel command line: |BIOS-provided physical RAM map|BIOS-e820: |e820: |ACPI: |pci 0000:|XFS \(|EXT[234]-fs[: (]|Memory: \d+K\/|Freeing unused kernel|Run \/\S+ as init process|\[<?[\da-f]{8,}>?\] )/;
/** Output of file-system checks, of which e2fsck has lines that begin with "JBD2:". */
const OF_A_CHECK = /^(?:e2fsck \d|Pass [1-5]: [A-Z]|Phase [1-7] - [a-z]|xfs_repair version )/;
const RELEASE =
  /\bLinux version (\d+\.\d+\S*)|\b(?:Not tainted|Tainted: [A-Z ()[\]=,_]{1,80}?) {1,8}(\d+\.\d+\S*) #/;
const JOURNAL_GAP = /\bsystemd-journald\S*: Missed \d+ kernel messages/;

/**
 * Reads a kernel's log from anywhere: dmesg in each of its forms, a journal, syslog, a serial console,
 * a mail, JSON; in pieces and in bounded memory. What it finds, {@link KernelLogWatcher} finds.
 */
export class KernelLogReader {
  readonly #watcher = new KernelLogWatcher();
  readonly #lines: LogLines;
  readonly #findings: Finding[] = [];
  /** The first lines, until the form is decided. */
  #sample: string[] | undefined = [];
  /** The prefix of every line, if it is an unusual one. */
  #prefix: RegExp | undefined;
  /** Columns after which a mailer wrapped lines; 0 if none did. */
  #wrappedAt = 0;
  /** A line that may continue in the next one. */
  #pending: (Stripped & { length: number }) | undefined;
  /** The last line is longer than LogLines hands out at once, with escaped line ends. */
  #escaped: string | undefined;
  #release: string | undefined;
  #reason: string | undefined;
  #isEmpty = true;
  #isKernels = false;
  #isCheck = false;

  constructor() {
    this.#lines = new LogLines(
      (line) => this.#raw(line),
      (piece) => this.#more(piece),
    );
  }

  /** Whether it contained only blanks. */
  get empty(): boolean {
    return this.#isEmpty;
  }

  /** Whether it is the output of e2fsck or xfs_repair. */
  get isCheck(): boolean {
    return this.#isCheck;
  }

  push(chunk: string | Uint8Array): void {
    this.#lines.push(chunk);
  }

  /** The report; undefined if no line is the kernel's. */
  end(): KernelLogReport | undefined {
    this.#lines.end();
    this.#flushEscaped();
    this.#decide();
    this.#releasePending();
    this.#findings.push(...this.#watcher.end());
    if (!this.#isKernels) return undefined;
    const findings = this.#findings;
    const { omitted } = this.#watcher;
    const gap = findings.some(({ kind }) => kind === 'log-gap');
    const reason = this.#reason ?? (gap ? 'the kernel dropped lines of its log' : undefined);
    const serious = [...findings, ...omitted].some(({ severity }) => severity !== 'notice');
    return {
      tool: 'kernel',
      ...(this.#release === undefined ? {} : { release: this.#release }),
      clean: !serious && reason === undefined,
      completed: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      findings,
      ...(omitted.length > 0 ? { omitted } : {}),
    };
  }

  #raw(line: string): void {
    this.#flushEscaped();
    if (line.trim() === '') return;
    this.#isEmpty = false;
    if (line.length >= LONG && line.includes('\\n')) {
      const lines = linesIn(line);
      this.#escaped = lines.pop();
      for (const one of lines) this.#form(one);
    } else {
      for (const one of linesIn(line)) this.#form(one);
    }
  }

  #more(piece: string): void {
    if (this.#escaped === undefined) return;
    const lines = escapedLines(this.#escaped + piece);
    this.#escaped = lines.pop()?.slice(-LONG);
    for (const one of lines) this.#form(one);
  }

  #flushEscaped(): void {
    const rest = this.#escaped;
    this.#escaped = undefined;
    if (rest !== undefined) this.#form(rest);
  }

  /** The form is decided by the first lines, which wait until then. */
  #form(line: string): void {
    if (!this.#sample) {
      this.#line(line);
      return;
    }
    this.#sample.push(line);
    if (this.#sample.length >= SAMPLE) this.#decide();
  }

  #decide(): void {
    const sample = this.#sample;
    if (!sample) return;
    this.#sample = undefined;
    this.#prefix = sharedPrefix(sample);
    this.#wrappedAt = wrappingColumn(sample);
    for (const line of sample) this.#line(line);
  }

  #line(raw: string): void {
    if (raw.includes('Missed') && JOURNAL_GAP.test(raw))
      this.#reason ??= 'the journal missed messages of the kernel';
    const unquoted = withoutQuotation(raw);
    const own = this.#prefix ? unquoted.replace(this.#prefix, '') : unquoted;
    const stripped = isPlain(own) ? plain(own) : withoutPrefix(own.trimStart());
    if (!stripped) return;
    if (this.#pending && !stripped.hasPrefix && this.#continues(stripped.text)) {
      this.#pending.text += ` ${stripped.text}`;
      this.#pending.length = raw.length;
      return;
    }
    this.#releasePending();
    const hasPrefix = stripped.hasPrefix || own !== unquoted || STAMPED.test(stripped.text);
    this.#pending = { ...stripped, hasPrefix, length: raw.length };
    if (this.#wrappedAt === 0) this.#releasePending();
  }

  /** Whether a mailer moved this text to a new line because its first word did not fit. */
  #continues(text: string): boolean {
    const { length = 0, hasPrefix = false } = this.#pending ?? {};
    const word = /^\S+/.exec(text)?.[0] ?? '';
    return (
      hasPrefix &&
      length >= SHORTEST_WRAPPED &&
      length + 1 + word.length > this.#wrappedAt &&
      !STAMPED.test(text) &&
      !OF_A_PROGRAM.test(text)
    );
  }

  #releasePending(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    const pieces = kernelLines(pending.text).map(({ text, stamped }) => ({
      text,
      stamped: stamped || pending.isKernels,
    }));
    for (const { text, stamped } of pieces) this.#note(text, stamped);
    this.#findings.push(...this.#watcher.take(pieces));
  }

  /** Identifies the log and its kernel. */
  #note(text: string, stamped: boolean): void {
    if (!this.#isKernels) {
      if (!stamped && OF_A_CHECK.test(text)) this.#isCheck = true;
      const rule = this.#isCheck || stamped ? undefined : recognize(text, false)?.rule;
      this.#isKernels = stamped || KERNELS_OWN.test(text) || (rule !== undefined && isHead(rule));
    }
    if (this.#release === undefined && /Linux version|ainted/.test(text)) {
      const found = RELEASE.exec(text);
      this.#release = found?.[1] ?? found?.[2];
    }
  }
}

/** As long as LogLines hands out a line at once. */
const LONG = 4096;
const STAMPED = /^\[ {0,6}\d{1,8}\.\d{6}\]/;

/** Nearly all lines of most logs have the kernel's stamp and no other prefix. */
function isPlain(line: string): boolean {
  return line.startsWith('[') && STAMPED.test(line) && !line.includes(' kernel: ');
}

function plain(text: string): Stripped {
  return { text, isKernels: true, hasPrefix: true };
}

function withoutQuotation(line: string): string {
  return /^[ >|]/.test(line) ? line.replace(QUOTATION, '') : line;
}

/** A prompt, or `ls: cannot access`. */
const OF_A_PROGRAM = /^(?:\S+[@:]\S*[#$%] |[\w./-]+: |[#$] )/;

/** The prefix that most lines share, if it is an unusual one. */
function sharedPrefix(sample: readonly string[]): RegExp | undefined {
  const counts = new Map<string, number>();
  for (const line of sample) {
    const own = withoutQuotation(line);
    if (STAMPED.test(own) || recognize(own, true)) continue;
    const text = withoutPrefix(own.trimStart());
    if (!text || text.isKernels || recognize(text.text, true)) continue;
    const prefix = unknownPrefix(own);
    if (prefix !== undefined) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1]);
  if (!best) return undefined;
  const pattern = new RegExp(best[0]);
  const having = sample.filter((line) => pattern.test(withoutQuotation(line))).length;
  return having * 2 >= sample.length ? pattern : undefined;
}

function wrappingColumn(sample: readonly string[]): number {
  const longest = Math.max(0, ...sample.map((line) => line.length));
  return longest >= SHORTEST_WRAPPED && longest <= LONGEST_WRAPPED ? longest : 0;
}
