import type { KernelFindingKind, Severity } from './finding.js';

/** The form of the tables in kernel-grammar.ts, which say what a line of the kernel's log means. */

/** A line that begins a finding. */
export interface Head {
  kind: KernelFindingKind;
  severity: Severity;
  /**
   * Anchored at the line's start. Groups: `what` is the message whose class is in the signature
   * (else the whole line is), `function`, `module`, `file`, `device`, `fs`, `cache`.
   */
  pattern: RegExp;
  /**
   * `line`: the line is complete by itself.
   * `stack`: a report of many lines follows, with the function in one of them.
   * `event`: lines of `details` may follow, with others in between.
   * `preface`: the report of a BUG or a WARNING follows, and this line explains it.
   */
  extent: 'line' | 'stack' | 'event' | 'preface';
  /**
   * Lines that belong to this finding if they name the same device, or none. If the head names none, the
   * first of them does.
   */
  details?: RegExp;
  /** The function is the class: the rest of the message varies. */
  byFunction?: true;
  /** Programs print such lines too: only those with the kernel's time stamp count. */
  stampedOnly?: true;
  /** The kind of report that this line continues; it begins one only if none is open. */
  continues?: KernelFindingKind;
  /** See {@link needing}. */
  needs?: string;
}

/** A line that looks like the head of a finding but is not one. */
export interface Harmless {
  kind: 'harmless';
  pattern: RegExp;
  needs?: string;
}

export type Rule = Head | Harmless;

export function line(
  kind: KernelFindingKind,
  pattern: RegExp,
  severity: Severity = 'corruption',
): Head {
  return { kind, severity, pattern, extent: 'line' };
}

export function stack(
  kind: KernelFindingKind,
  pattern: RegExp,
  severity: Severity = 'corruption',
): Head {
  return { kind, severity, pattern, extent: 'stack' };
}

export function harmless(pattern: RegExp): Harmless {
  return { kind: 'harmless', pattern };
}

/**
 * A rule for a pattern that can begin with any character. Every matching line contains `text`,
 * which rules out most lines quickly.
 */
export function needing<One extends Rule>(needs: string, rule: One): One {
  return { ...rule, needs };
}

/**
 * A pattern made of alternatives, one per line, to keep long lists readable.
 *
 * @param start precedes all of them; must be anchored
 * @param alternatives sources of regular expressions
 * @param end follows them
 */
export function anyOf(start: string, alternatives: readonly string[], end = ''): RegExp {
  return new RegExp(`${start}(?:${alternatives.join('|')})${end}`);
}

/** `xfs_agf_verify+0x5d/0x110 [xfs]`, with the groups `function` and `module`. */
export const FUNCTION = String.raw`(?<function>[\w.]+)(?:\+0x[\da-f]+\/0x[\da-f]+)?(?: \[(?<module>\w+)(?: [^\]]*)?\])?`;
