import type { Finding } from './finding.js';
import type { OmittedFindings } from './fsck-report.js';
import { ABOUT_DAX, COMMAND_LINE, DAX_SPEAKERS, isHead, recognize } from './kernel-grammar.js';
import { type KernelLine, kernelLines } from './kernel-line.js';
import { KernelReport } from './kernel-report.js';
import type { Head } from './kernel-rule.js';
import { LONGEST_LINE, linesOf } from './lines.js';
import { TextPieces } from './text-pieces.js';

/** A guest that repeats a message endlessly must not fill memory. */
const MOST_OF_ONE_CLASS = 20;
const MOST_FINDINGS = 500;

/**
 * Finds the kernel's complaints in a guest's console while it comes in.
 *
 * The console is whatever the guest prints: text of the kernel with or without time stamps
 * (`[   12.345678]`), priorities (`<4>`) and callers (`[  T123]`), text of programs, firmware's
 * escape sequences, garbage. Memory is bounded: lines are taken in pieces of 4 KiB.
 */
export class KernelLogWatcher {
  readonly #pieces = new TextPieces();
  readonly #seen = new Map<string, number>();
  readonly #omitted = new Map<string, OmittedFindings>();
  #partial = '';
  /** The report whose lines are arriving. */
  #report: KernelReport | undefined;
  /** A file system's finding, whose details may still follow. */
  #event: KernelReport | undefined;
  #reported = 0;
  #suppressed = 0;

  /** Findings that were not returned because there were too many, of their class or altogether. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** The same by class. */
  get omitted(): OmittedFindings[] {
    return [...this.#omitted.values()];
  }

  /** Whether a report has begun and not ended. */
  get isOpen(): boolean {
    return this.#report !== undefined;
  }

  /**
   * Takes more of the console. Returns the findings that became complete: one of several lines
   * (an oops) does with its last line, or with the next finding's first.
   */
  push(chunk: string | Uint8Array): Finding[] {
    const findings: Finding[] = [];
    for (const text of this.#pieces.of(chunk)) this.#push(text, findings);
    return findings;
  }

  #push(text: string, findings: Finding[]): void {
    const all = this.#partial + text;
    // A carriage return at the end may be half of a CR LF, and means the same either way.
    const whole = all.lastIndexOf('\n') + 1;
    for (const line of linesOf(all.slice(0, whole))) this.#line(line, findings);
    let rest = all.slice(whole);
    for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) {
      this.#line(rest.slice(0, LONGEST_LINE), findings);
    }
    this.#partial = rest;
  }

  /**
   * Between two tests: what was still open, and the counts begin anew, so that what one test repeats
   * hides nothing of the next.
   */
  settle(): Finding[] {
    const findings: Finding[] = [];
    this.#closeAll(findings);
    this.#seen.clear();
    this.#reported = 0;
    return findings;
  }

  /** The console has ended: returns what was still open. */
  end(): Finding[] {
    const findings: Finding[] = [];
    for (const line of linesOf(this.#partial + this.#pieces.end())) this.#line(line, findings);
    this.#partial = '';
    this.#closeAll(findings);
    return findings;
  }

  /** Takes pieces of lines whose stamps are already removed. */
  take(pieces: readonly KernelLine[]): Finding[] {
    const findings: Finding[] = [];
    for (const piece of pieces) this.#piece(piece, findings);
    return findings;
  }

  #line(raw: string, findings: Finding[]): void {
    for (const piece of kernelLines(raw)) this.#piece(piece, findings);
  }

  #piece({ text, stamped }: KernelLine, findings: Finding[]): void {
    const recognized = recognize(text, stamped);
    if (!recognized) {
      this.#follow(text, findings);
    } else if (this.#report?.takes(text, recognized)) {
      if (this.#report.add(text)) this.#closeReport(findings);
    } else if (this.#event?.takes(text, recognized)) {
      this.#event.add(text);
    } else if (isHead(recognized.rule)) {
      this.#open(recognized.rule, recognized.groups, text, findings);
    } else {
      this.#follow(text, findings);
    }
  }

  /** A line that begins nothing: a report takes all of them, an event only its details. */
  #follow(text: string, findings: Finding[]): void {
    if (this.#event?.has(text)) this.#event.add(text);
    else if (this.#event?.skip()) this.#closeEvent(findings);
    if (!this.#report) return;
    const over =
      this.#report.head.extent === 'preface' ? this.#report.skip() : this.#report.add(text);
    if (over) this.#closeReport(findings);
  }

  #open(head: Head, groups: KernelGroups, text: string, findings: Finding[]): void {
    const preface = this.#report?.introduces(head) ? this.#report.lines : undefined;
    if (preface) this.#report = undefined;
    this.#closeReport(findings);
    const report = new KernelReport(head, groups, text, preface);
    if (head.extent === 'event') {
      this.#closeEvent(findings);
      this.#event = report;
    } else if (head.extent === 'line') {
      this.#tell(report, findings);
    } else {
      this.#report = report;
    }
  }

  #closeAll(findings: Finding[]): void {
    this.#closeReport(findings);
    this.#closeEvent(findings);
  }

  #closeReport(findings: Finding[]): void {
    if (this.#report) this.#tell(this.#report, findings);
    this.#report = undefined;
  }

  #closeEvent(findings: Finding[]): void {
    if (this.#event) this.#tell(this.#event, findings);
    this.#event = undefined;
  }

  #tell(report: KernelReport, findings: Finding[]): void {
    const finding = report.finding();
    const { signature, severity } = finding;
    const count = (this.#seen.get(signature) ?? 0) + 1;
    if (this.#reported >= MOST_FINDINGS || count > MOST_OF_ONE_CLASS) {
      this.#suppressed += 1;
      this.#omit(signature, severity);
      return;
    }
    this.#seen.set(signature, count);
    this.#reported += 1;
    findings.push(finding);
  }

  #omit(signature: string, severity: Finding['severity']): void {
    const known = this.#omitted.get(signature);
    if (known) known.count += 1;
    else if (this.#omitted.size < MOST_FINDINGS) {
      this.#omitted.set(signature, { signature, severity, count: 1 });
    }
  }
}

type KernelGroups = ConstructorParameters<typeof KernelReport>[1];

/** The kernel's findings in a whole console or dmesg. */
export function scanKernelLog(text: string | Uint8Array): Finding[] {
  const watcher = new KernelLogWatcher();
  return [...watcher.push(text), ...watcher.end()];
}

/**
 * The kernel's lines about DAX itself, without time stamps, in their order, each once: that it is
 * in use, was refused or dropped, and that ext4's code serves an ext2 mount.
 */
export function daxMessages(lines: Iterable<string>): string[] {
  const messages = new Set<string>();
  for (const { text, stamped } of [...lines].flatMap(kernelLines)) {
    // The kernel's command line and what programs echo are not the kernel's words.
    if (COMMAND_LINE.test(text) || !(stamped || DAX_SPEAKERS.test(text))) continue;
    if (ABOUT_DAX.test(text)) messages.add(text);
  }
  return [...messages];
}
