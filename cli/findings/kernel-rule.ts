import type { KernelFindingKind, Severity } from './finding.js';

/** The form of the tables that say what a line of the kernel's log means: kernel-grammar.ts. */

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
   * `line`: the line says everything.
   * `stack`: a report of many lines follows, with the function in one of them.
   * `event`: lines of `details` may follow, with others in between.
   * `preface`: the report of a BUG or a WARNING follows, and this line explains it.
   */
  extent: 'line' | 'stack' | 'event' | 'preface';
  /** Lines that belong to this finding where they name the same device, or none. */
  details?: RegExp;
  /** The function is the class: the rest of the message varies. */
  byFunction?: true;
  /** Programs print such lines too: only one with the kernel's time stamp counts. */
  stampedOnly?: true;
  /** The kind of report that this line continues; it begins one only where none is open. */
  continues?: KernelFindingKind;
  /** See {@link needing}. */
  needs?: string;
}

/** A line that looks like the head of a finding and is none. */
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
 * A rule whose pattern can begin with any character, with a text that each line it fits holds: most
 * lines are told apart by that.
 */
export function needing<One extends Rule>(needs: string, rule: One): One {
  return { ...rule, needs };
}

/**
 * A pattern made of alternatives, one a line, which keeps long lists readable.
 *
 * @param start what stands before all of them; must be anchored
 * @param alternatives sources of regular expressions
 * @param end what follows
 */
export function anyOf(start: string, alternatives: readonly string[], end = ''): RegExp {
  return new RegExp(`${start}(?:${alternatives.join('|')})${end}`);
}

/** `xfs_agf_verify+0x5d/0x110 [xfs]`, with the groups `function` and `module`. */
export const FUNCTION = String.raw`(?<function>[\w.]+)(?:\+0x[\da-f]+\/0x[\da-f]+)?(?: \[(?<module>\w+)(?: [^\]]*)?\])?`;
