import { StringDecoder } from 'node:string_decoder';
import type { Finding } from './finding.js';
import {
  ABOUT_DAX,
  COMMAND_LINE,
  DAX_SPEAKERS,
  END,
  HARMLESS,
  HEADS,
  type Head,
  LOCATIONS,
  UNINFORMATIVE,
} from './kernel-grammar.js';
import { LONGEST_LINE, linesOf } from './lines.js';
import { messageClass, signature } from './signature.js';

/** Lines kept of one report. */
const EXCERPT = 40;
/** Lines after which a report that does not say its end is taken to be over. */
const LONGEST_REPORT = 200;
/** A guest that prints the same over and over fills no memory. */
const MOST_OF_ONE_CLASS = 20;
const MOST_FINDINGS = 500;
/** No complaint of the kernel needs more to be told apart, and patterns stay quick. */
const LONGEST_MATCHED = 512;

/**
 * Finds the kernel's complaints in a guest's console while it comes in.
 *
 * The console is whatever the guest prints: text of the kernel with or without time stamps
 * (`[   12.345678]`), priorities (`<4>`) and callers (`[  T123]`), text of programs, firmware's
 * escape sequences, garbage. Memory is bounded: lines are taken in pieces of 4 KiB.
 */
export class KernelLogWatcher {
  readonly #decoder = new StringDecoder('utf8');
  readonly #seen = new Map<string, number>();
  #partial = '';
  #report: Report | undefined;
  #reported = 0;
  #suppressed = 0;

  /** Findings that were not returned, because their class, or all together, had been too many. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /**
   * Takes more of the console. Returns the findings that became complete: one of several lines
   * (an oops) does with its last line, or with the next finding's first.
   */
  push(chunk: string | Uint8Array): Finding[] {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(Buffer.from(chunk));
    const findings: Finding[] = [];
    const all = this.#partial + text;
    // A carriage return at the end may be half of a CR LF, and means the same either way.
    const whole = all.lastIndexOf('\n') + 1;
    for (const line of linesOf(all.slice(0, whole))) this.#line(line, findings);
    let rest = all.slice(whole);
    for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) {
      this.#line(rest.slice(0, LONGEST_LINE), findings);
    }
    this.#partial = rest;
    return findings;
  }

  /**
   * Between two tests: what was still open, and the counts begin anew, so that what one test repeats
   * hides nothing of the next.
   */
  settle(): Finding[] {
    const findings: Finding[] = [];
    this.#close(findings);
    this.#seen.clear();
    this.#reported = 0;
    return findings;
  }

  /** The console's end: what was still open. */
  end(): Finding[] {
    const findings: Finding[] = [];
    for (const line of linesOf(this.#partial + this.#decoder.end())) this.#line(line, findings);
    this.#partial = '';
    this.#close(findings);
    return findings;
  }

  #line(raw: string, findings: Finding[]): void {
    const { text: line, stamped } = kernelLine(raw);
    if (line === '') return;
    const head = recognise(line, stamped);
    if (head && !this.#report?.absorbs(head.head)) {
      this.#close(findings);
      this.#report = new Report(head, line);
      if (head.head.extent === 'line') this.#close(findings);
      return;
    }
    if (!this.#report) return;
    this.#report.add(line);
    if (END.test(line) || this.#report.length >= LONGEST_REPORT) this.#close(findings);
  }

  #close(findings: Finding[]): void {
    const finding = this.#report?.finding();
    this.#report = undefined;
    if (!finding) return;
    const count = (this.#seen.get(finding.signature) ?? 0) + 1;
    if (this.#reported >= MOST_FINDINGS || count > MOST_OF_ONE_CLASS) {
      this.#suppressed += 1;
      return;
    }
    this.#seen.set(finding.signature, count);
    this.#reported += 1;
    findings.push(finding);
  }
}

/** The kernel's complaints in a whole console or dmesg. */
export function scanKernelLog(text: string | Uint8Array): Finding[] {
  const watcher = new KernelLogWatcher();
  const findings: Finding[] = [];
  // In pieces, so that 100 MB are not copied at once.
  for (let start = 0; start < text.length; start += 1 << 20) {
    findings.push(...watcher.push(text.slice(start, start + (1 << 20))));
  }
  return [...findings, ...watcher.end()];
}

/**
 * The kernel's lines about DAX itself, without time stamps, in their order, each once: that it is
 * in use, was refused or dropped, and that ext4's code serves an ext2 mount.
 */
export function daxMessages(lines: Iterable<string>): string[] {
  const messages = new Set<string>();
  for (const raw of lines) {
    const { text, stamped } = kernelLine(raw);
    // What the kernel was told, and what programs echo, is not what it says.
    if (COMMAND_LINE.test(text) || !(stamped || DAX_SPEAKERS.test(text))) continue;
    if (ABOUT_DAX.test(text)) messages.add(text);
  }
  return [...messages];
}

/** Terminal sequences that firmware prints before the kernel's first line. */
const ESCAPE_SEQUENCES = /\x1b(?:\[[0-9;?]{0,16}[A-Za-z]|[c()78=>])/g;
const STAMP = /\[ {0,6}\d{1,8}\.\d{6}\]/g;
/** `<4>` as the console may have it, `4,1234,5678,-;` as /dev/kmsg has it. */
const PRIORITY = /^(?:<\d{1,3}>|\d{1,3},\d{1,12},\d{1,16},[^;]{1,60};)/;
const CALLER = /^(?:\[ {0,6}[TC]\d{1,8}\])? ?/;

interface KernelLine {
  /** As the kernel's code printed it: no priority, time stamp, caller, escape sequence. */
  text: string;
  /** Whether it had a time stamp or a priority, as what programs print has not. */
  stamped: boolean;
}

function kernelLine(raw: string): KernelLine {
  let line = raw.includes('\x1b') ? raw.replace(ESCAPE_SEQUENCES, '') : raw;
  // A stamp in the middle: a program had printed something without an end of line.
  STAMP.lastIndex = 0;
  let stamped = STAMP.test(line);
  if (stamped) {
    line = line.slice(STAMP.lastIndex);
  } else {
    const bare = line.replace(PRIORITY, '');
    stamped = bare !== line;
    line = bare;
  }
  return { text: line.replace(CALLER, '').trimEnd(), stamped };
}

interface Recognised {
  head: Head;
  groups: Partial<Record<string, string>>;
}

function recognise(line: string, stamped: boolean): Recognised | undefined {
  const start = line.slice(0, LONGEST_MATCHED);
  for (const head of HEADS) {
    if (head.stampedOnly && !stamped) continue;
    const match = head.pattern.exec(start);
    if (!match) continue;
    if (head.kind !== 'panic' && HARMLESS.some((pattern) => pattern.test(start))) return undefined;
    return { head, groups: match.groups ?? {} };
  }
  return undefined;
}

/** One complaint while its lines come in. */
class Report {
  readonly #head: Head;
  readonly #groups: Recognised['groups'];
  readonly #lines: string[];
  #count = 1;
  /** Where it failed, by the instruction pointer. */
  #location: { function?: string; module?: string } = {};
  /** The first function of the trace that says something, for reports without such a pointer. */
  #traced: { function?: string; module?: string } | undefined;

  constructor({ head, groups }: Recognised, line: string) {
    this.#head = head;
    this.#groups = groups;
    this.#lines = [line.slice(0, LONGEST_MATCHED)];
  }

  get length(): number {
    return this.#count;
  }

  /**
   * One crash begins with several lines that are heads of their own: "BUG: unable to handle page
   * fault", then "Oops: 0000"; "kernel BUG at", then "invalid opcode". After the instruction
   * pointer it is another crash.
   */
  absorbs(next: Head): boolean {
    const { kind } = this.#head;
    const isCrash = kind === 'oops' || kind === 'bug';
    return next.kind === 'oops' && isCrash && this.#location.function === undefined;
  }

  add(line: string): void {
    this.#count += 1;
    if (this.#lines.length < EXCERPT) this.#lines.push(line.slice(0, LONGEST_MATCHED));
    const start = line.slice(0, LONGEST_MATCHED);
    if (this.#location.function === undefined) {
      for (const pattern of LOCATIONS) {
        const groups = pattern.exec(start)?.groups;
        if (groups) this.#location = where(groups);
      }
    }
    // ` ext2_get_block+0x1c/0x50 [ext2]`; a question mark stands before what may be stale.
    const frame = /^ {0,3}([\w.]+)\+0x[\da-f]+\/0x[\da-f]+(?: \[(\w+)[^\]]*\])?/.exec(start);
    const name = frame?.[1]?.replace(/\..*/, '');
    if (name !== undefined && !this.#traced && !UNINFORMATIVE.test(name)) {
      this.#traced = where({ function: name, module: frame?.[2] });
    }
  }

  finding(): Finding {
    const { kind, severity, byFunction } = this.#head;
    const groups = this.#groups;
    const named = groups['function'] === undefined ? undefined : where(groups);
    const hasPointer = kind === 'oops' || kind === 'bug' || kind === 'soft-lockup';
    // A stall's traces are of whatever ran on the other processors.
    const traced = kind === 'rcu-stall' ? undefined : this.#traced;
    const place =
      named ?? (hasPointer ? (this.#location.function ? this.#location : traced) : traced) ?? {};
    const message = (this.#lines[0] ?? '').trim();
    return {
      tool: 'kernel',
      kind,
      severity,
      message,
      signature: signature(
        'kernel',
        kind,
        groups['fs']?.toLowerCase(),
        groups['file'],
        place.function,
        byFunction || (groups['file'] !== undefined && groups['what'] === undefined)
          ? undefined
          : messageClass(classText(kind, groups['what'] ?? message)),
      ),
      ...(groups['device'] === undefined ? {} : { device: groups['device'] }),
      ...numberOf('inode', /\b(?:inode|directory) #?(\d+)/.exec(message)),
      ...numberOf('block', /\bblock (\d+)/.exec(message)),
      ...place,
      lines: this.#lines,
    };
  }
}

/** What is variable in these messages without looking so: the name of a process. */
function classText(kind: Finding['kind'], text: string): string {
  switch (kind) {
    case 'hung-task':
      return 'blocked';
    case 'soft-lockup':
    case 'hard-lockup':
      return /workqueue/.test(text) ? 'workqueue' : 'stuck';
    case 'rcu-stall':
      return /starved/.test(text) ? 'starved' : 'stall';
    default:
      return (
        text
          // ext4's way to say where it was: the process and the block depend on the moment.
          .replace(/^(inode #\d+: )?block \d+: ?/, '$1')
          .replace(/\bcomm .{1,15}?: /, '')
          // Numbers in base 16 that nothing marks as such.
          .replace(/\b(?=\d*[a-f])(?=[a-f]*\d)[\da-f]{4,16}\b/g, '')
          .replace(/, (?:address|at virtual address|probably for)\b.*/, '')
          .replace(/( for address| at virtual address|paging request at).*/, '$1')
          .replace(/(\bcode: )\S+.*/, '$1')
          .replace(/\bpid \d+\b|(?<=\bin process ).*|\bcode:.*/g, '')
          .replace(/\bname=.*/, '')
      );
  }
}

function where(groups: Partial<Record<string, string>>): { function?: string; module?: string } {
  // Compilers' copies of a function (f.constprop.0, f.isra.1, f.cold) are that function.
  const name = groups['function']?.replace(/\..*/, '');
  const module = groups['module'];
  return {
    ...(name === undefined || name === '' ? {} : { function: name }),
    ...(module === undefined ? {} : { module }),
  };
}

function numberOf(key: 'inode' | 'block', match: RegExpExecArray | null): Partial<Finding> {
  const number = Number(match?.[1]);
  return match && Number.isSafeInteger(number) ? { [key]: number } : {};
}
