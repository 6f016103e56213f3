/**
 * Expected failures are values. A function that can fail returns `Outcome<Value>`; if it throws, that
 * is a bug. Every failure says what happened (`message`), where (`place`) and what to do next
 * (`remedy`), so that it can be printed anywhere.
 */

/** A place in a file that a person can open. Lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
}

/** The kinds of expected failure. exitCodeOf has their exit codes. */
export type FailureKind =
  /** The command line or a configuration file asks for something that does not exist. */
  | 'usage'
  /** A program that this machine lacks. */
  | 'program-missing'
  /** A file or directory that the user named cannot be read or is not what it should be. */
  | 'unreadable'
  /** The package mirror has no such kernel, or could not be reached. */
  | 'kernel-unavailable'
  /** A patch or semantic patch does not fit the kernel's source, or takes more than we build. */
  | 'change-rejected'
  /** make, or a program around it, failed. */
  | 'build-failed'
  /** A cache or temporary file could not be written. */
  | 'storage'
  /** A program that we run as a tool (tar, xz, depmod …) failed. */
  | 'tool-failed'
  /** Ctrl-C or SIGTERM. */
  | 'interrupted';

export interface Failure {
  kind: FailureKind;
  /** One sentence without the full stop: what happened. */
  message: string;
  /** One sentence without the full stop: what to do next. */
  remedy: string;
  place?: Place;
  /** More details, for example the end of a compiler's output. May have several lines. */
  detail?: string;
  /** Further failures of the same request, so that the user can correct them all at once. */
  others?: readonly Failure[];
}

export type Outcome<Value> = { ok: true; value: Value } | { ok: false; failure: Failure };

export function success<Value>(value: Value): { ok: true; value: Value } {
  return { ok: true, value };
}

export function failure(
  kind: FailureKind,
  message: string,
  remedy: string,
  more: { place?: Place; detail?: string } = {},
): { ok: false; failure: Failure } {
  return { ok: false, failure: { kind, message, remedy, ...more } };
}

type Values<Outcomes extends Record<string, Outcome<unknown>>> = {
  [Name in keyof Outcomes]: Outcomes[Name] extends Outcome<infer Value> ? Value : never;
};

/** The values of all outcomes, or all of their failures as one: the first, with the others. */
export function allOf<Outcomes extends Record<string, Outcome<unknown>>>(
  outcomes: Outcomes,
): Outcome<Values<Outcomes>> {
  const failures = Object.values(outcomes).flatMap((one) => (one.ok ? [] : [one.failure]));
  const [first, ...others] = failures;
  if (first) return { ok: false, failure: others.length > 0 ? { ...first, others } : first };
  const values = Object.entries(outcomes).map(([name, one]) => [name, one.ok && one.value]);
  return success(Object.fromEntries(values) as Values<Outcomes>);
}

/** Exit codes of the command line. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noVerdict: 3, interrupted: 130 } as const;

/**
 * The exit code that stops `git bisect run`: any from 128 does (git-bisect(1)). 125 skips the commit, and
 * every other code means good or bad.
 */
export const STOP_BISECTION = 128;

/** The exit code of a command that ends with this failure before it has a verdict. */
export function exitCodeOf(failure: Failure): number {
  switch (failure.kind) {
    case 'usage':
    case 'unreadable':
      return EXIT.usage;
    case 'interrupted':
      return EXIT.interrupted;
    default:
      return EXIT.noVerdict;
  }
}

/** Formats a failure, with the place first so that editors can jump to it. */
export function formatFailure(failure: Failure): string {
  return [failure, ...(failure.others ?? [])].map(formatOne).join('\n');
}

function formatOne(failure: Failure): string {
  const place = failure.place;
  const position = place
    ? `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')}: `
    : '';
  const detail = failure.detail ? `\n${failure.detail.trimEnd().replaceAll(/^/gm, '  | ')}` : '';
  return `daxrepro: ${position}${failure.message}.${detail}\n  ${failure.remedy}.`;
}
