import type { Finding } from './finding.js';
import {
  END,
  LOCATIONS,
  LONGEST_MATCHED,
  type Recognized,
  UNINFORMATIVE,
} from './kernel-grammar.js';
import type { Head } from './kernel-rule.js';
import { messageClass, signature } from './signature.js';

/** Lines kept of one report. */
const EXCERPT = 40;
/** Lines after which a report without an end counts as over. */
const LONGEST_REPORT = 200;
/** Lines that may stand between a preface and its report: a drawn line, a condition. */
const LONGEST_PREFACE = 4;

/** A function of the kernel and its module. */
interface Place {
  function?: string;
  module?: string;
}

/** One finding of the kernel's log while its lines arrive. */
export class KernelReport {
  readonly head: Head;
  #groups: Recognized['groups'];
  readonly #lines: string[];
  #count = 1;
  /** Where it failed, according to the instruction pointer. */
  #location: Place = {};
  /** The first meaningful function of the trace, for reports without an instruction pointer. */
  #traced: Place | undefined;

  constructor(head: Head, groups: Recognized['groups'], line: string, preface: string[] = []) {
    this.head = head;
    this.#groups = groups;
    this.#lines = [line.slice(0, LONGEST_MATCHED), ...preface];
  }

  /** Its lines, which become part of the report that it introduces. */
  get lines(): string[] {
    return this.#lines;
  }

  /** Whether this line belongs to it although it could begin a finding. */
  takes(line: string, next: Recognized): boolean {
    const { kind, details } = this.head;
    if (next.rule.kind !== 'harmless') {
      if (next.rule.continues === kind) return true;
      // One crash begins with several heads: "BUG: unable to handle page fault", then "Oops: 0000";
      // "kernel BUG at", then "invalid opcode". After the instruction pointer it is another crash.
      const isCrash = kind === 'oops' || kind === 'bug';
      if (next.rule.kind === 'oops' && isCrash) return this.#location.function === undefined;
    }
    return details !== undefined && this.#isDetail(line);
  }

  /** Whether a line without a meaning of its own is one of its details, such as a hex dump. */
  has(line: string): boolean {
    return this.head.details !== undefined && this.#isDetail(line);
  }

  #isDetail(line: string): boolean {
    const found = this.head.details?.exec(line.slice(0, LONGEST_MATCHED));
    const device = found?.groups?.['device'];
    const ours = this.#groups['device'];
    return !!found && (device === undefined || ours === undefined || device === ours);
  }

  /** Whether it explains this head. */
  introduces(next: Head): boolean {
    return (
      this.head.extent === 'preface' &&
      (next.kind === 'bug' || next.kind === 'warning' || next.kind === 'oops')
    );
  }

  /** Counts a line that does not belong to it. True once the report is over. */
  skip(): boolean {
    this.#count += 1;
    const limit = this.head.extent === 'preface' ? LONGEST_PREFACE : LONGEST_REPORT;
    return this.#count > limit;
  }

  /** Adds a line. True if it is the last one. */
  add(line: string): boolean {
    this.#count += 1;
    const start = line.slice(0, LONGEST_MATCHED);
    if (this.#lines.length < EXCERPT) this.#lines.push(start);
    if (this.head.extent === 'stack') this.#locate(start);
    // The head may leave it to a detail to name the device.
    const device = this.head.details?.exec(start)?.groups?.['device'];
    if (device !== undefined && this.#groups['device'] === undefined) {
      this.#groups = { ...this.#groups, device };
    }
    return END.test(start) || this.#count >= LONGEST_REPORT;
  }

  #locate(start: string): void {
    if (this.#location.function === undefined) {
      for (const pattern of LOCATIONS) {
        const groups = pattern.exec(start)?.groups;
        if (groups) this.#location = placeOf(groups);
      }
    }
    // Before it, SLUB prints who had allocated the object and who had freed it.
    if (this.head.kind === 'slab' && start.startsWith('Call Trace:')) this.#traced = undefined;
    // ` ext2_get_block+0x1c/0x50 [ext2]`; a question mark stands before what may be stale.
    const frame = /^ {0,3}([\w.]+)\+0x[\da-f]+\/0x[\da-f]+(?: \[(\w+)[^\]]*\])?/.exec(start);
    const name = frame?.[1]?.replace(/\..*/, '');
    if (name !== undefined && !this.#traced && !UNINFORMATIVE.test(name)) {
      this.#traced = placeOf({ function: name, module: frame?.[2] });
    }
  }

  finding(): Finding {
    const { kind, severity } = this.head;
    const groups = this.#groups;
    const place = this.#place();
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
        cacheName(groups['cache']),
        groups['file'],
        place.function,
        this.#class(message),
      ),
      ...(groups['device'] === undefined ? {} : { device: groups['device'] }),
      ...numberOf('inode', /\b(?:inode|directory) #?(\d+)/.exec(message)),
      ...numberOf('block', /\bblock (\d+)/.exec(message)),
      ...place,
      lines: this.#lines,
    };
  }

  /** Named by the head, else by the instruction pointer or the trace. */
  #place(): Place {
    const { kind } = this.head;
    if (this.#groups['function'] !== undefined) return placeOf(this.#groups);
    // The traces of a stall show whatever ran on the other processors.
    const traced = kind === 'rcu-stall' || kind === 'workqueue-lockup' ? undefined : this.#traced;
    const hasPointer = kind === 'oops' || kind === 'bug' || kind === 'soft-lockup';
    return (hasPointer && this.#location.function ? this.#location : traced) ?? {};
  }

  #class(message: string): string | undefined {
    const { what, file } = this.#groups;
    if (this.head.byFunction || (file !== undefined && what === undefined)) return undefined;
    return messageClass(classText(this.head.kind, what ?? message));
  }
}

/** A part of these messages that varies without looking so: the name of a process. */
function classText(kind: Finding['kind'], text: string): string {
  switch (kind) {
    case 'hung-task':
      return 'blocked';
    case 'soft-lockup':
    case 'hard-lockup':
    case 'workqueue-lockup':
      return 'stuck';
    case 'rcu-stall':
      return /starved/.test(text) ? 'starved' : 'stall';
    default:
      return withoutVariables(text);
  }
}

function withoutVariables(text: string): string {
  return (
    text
      // The process and the block depend on the moment; the function does not.
      .replace(/^(inode #\d+: )?block \d+: ?/, '$1')
      .replace(/\bcomm .{1,15}?: /, '')
      // Hexadecimal numbers without a prefix.
      .replace(/\b(?=\d*[a-f])(?=[a-f]*\d)[\da-f]{2,16}\b/g, '')
      // Numbers that are part of a name, or have a unit.
      .replace(/\b(decoder|mapping|region|dport|HEAD)\d[\d.-]*/g, '$1')
      .replace(/\b\d+(k|s|ms|secs?)\b/g, '$1')
      .replace(/\b(on device) \S+/, '$1')
      // As fs/xfs and fs/ext4 misspell them.
      .replace(/\bOx[\da-f]+/g, '')
      .replace(/\b(name_len) \d+/, '$1 ')
      .replace(/, (?:address|at virtual address|probably for)\b.*/, '')
      .replace(/( for address| at virtual address|paging request at).*/, '$1')
      .replace(/(\bcode: )\S+.*/, '$1')
      .replace(/\bpid \d+\b|(?<=\bin process ).*|\bcode:.*/g, '')
      .replace(/\bname=.*/, '')
  );
}

/** `kmalloc-rnd-05-64`: which random copy of a cache it is does not matter. */
function cacheName(cache: string | undefined): string | undefined {
  return cache
    ?.toLowerCase()
    .replace(/-rnd-\d+/, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-|-$/g, '');
}

function placeOf(groups: Partial<Record<string, string>>): Place {
  // Copies of a function by the compiler (f.constprop.0, f.isra.1, f.cold) count as that function.
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
