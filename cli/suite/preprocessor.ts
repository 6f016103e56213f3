import { failure, type Outcome, type Place, success } from '../outcome.js';
import { decideCondition, type KernelVersions } from './conditions.js';

/** Which lines of an exclude file count, by its conditions. */

/** Lines of the preprocessor. A comment such as `# if it fails, ask` is none. */
const DIRECTIVES = [
  /^\s*#\s*ifn?def\s+\w+\s*$/,
  /^\s*#\s*(?:el)?if\s+(?:\w+\s*$|.*[()<>=!&|])/,
  /^\s*#\s*(?:else|endif)\s*(?:\/[/*].*)?$/,
  /^\s*#\s*(?:define|undef)\s+[A-Z_][A-Z0-9_]*\b/,
  /^\s*#\s*include\s*["<]/,
  /^\s*#error\b/,
];

export function isDirective(line: string): boolean {
  return DIRECTIVES.some((directive) => directive.test(line));
}

interface Condition {
  place: Place;
  line: string;
  /** Whether the lines around it count. */
  around: boolean;
  /** Whether one of its branches counted already. */
  taken: boolean;
  counts: boolean;
}

/**
 * Follows the conditions line by line. Each one that matters must be decided, since a list that is read by
 * half would leave out other tests than its author meant.
 */
export class Conditions {
  readonly #open: Condition[] = [];

  constructor(readonly kernel: KernelVersions | undefined) {}

  /** Whether lines count here. */
  get count(): boolean {
    return this.#open.at(-1)?.counts ?? true;
  }

  /** Takes the next directive. */
  follow(line: string, place: Place): Outcome<void> {
    const [, name = '', text = ''] = /^\s*#\s*(\w+)\s*(.*)$/.exec(line) ?? [];
    switch (name) {
      case 'if':
      case 'ifdef':
      case 'ifndef':
        return this.#begin(line, place, conditionOf(name, text));
      case 'elif':
        return this.#other(line, place, text);
      case 'else':
        return this.#other(line, place, '1');
      case 'endif':
        return this.#open.pop() ? success(undefined) : withoutIf(line, place);
      default:
        return this.count ? undecided(line, place, this.kernel) : success(undefined);
    }
  }

  /** A condition that is still open at the end. */
  end(): Outcome<void> {
    const [open] = this.#open;
    if (!open) return success(undefined);
    return failure('usage', `${quoted(open.line)} has no #endif`, 'Give the whole file', {
      place: open.place,
    });
  }

  #begin(line: string, place: Place, text: string): Outcome<void> {
    const around = this.count;
    const counts = around ? decideCondition(text, this.kernel) : false;
    if (counts === undefined) return undecided(line, place, this.kernel);
    this.#open.push({ place, line, around, taken: counts, counts });
    return success(undefined);
  }

  #other(line: string, place: Place, text: string): Outcome<void> {
    const open = this.#open.at(-1);
    if (!open) return withoutIf(line, place);
    const possible = open.around && !open.taken;
    const counts = possible ? decideCondition(text, this.kernel) : false;
    if (counts === undefined) return undecided(line, place, this.kernel);
    Object.assign(open, { counts, taken: open.taken || counts });
    return success(undefined);
  }
}

function conditionOf(name: string, text: string): string {
  if (name === 'if') return text;
  return `${name === 'ifndef' ? '!' : ''}defined(${text.trim()})`;
}

function withoutIf(line: string, place: Place): Outcome<never> {
  return failure('usage', `${quoted(line)} has no #if before it`, 'Give the whole file', { place });
}

function undecided(line: string, place: Place, kernel: KernelVersions | undefined): Outcome<never> {
  const versions = /LINUX_VERSION_CODE/.test(line);
  const why = !versions
    ? 'it depends on more than the kernel, so which tests follow is not known'
    : kernel
      ? 'it depends on the last number of the version, which --kernel leaves open'
      : 'it depends on the version of the kernel, which --kernel does not name';
  const remedy = versions
    ? 'Name the version, such as --kernel debian:6.1 or debian:6.1=VERSION, or preprocess the file: `cpp -P -DNAME=VALUE FILE`'
    : 'Give the list that the preprocessor makes of it: `cpp -P -DNAME=VALUE FILE`';
  return failure('usage', `${quoted(line)} cannot be decided: ${why}`, remedy, { place });
}

function quoted(line: string): string {
  return JSON.stringify(line.trim().slice(0, 80));
}
