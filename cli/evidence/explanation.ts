import type { Finding } from '../findings/finding.js';
import type { TracedInode, WriteBackTrace } from '../record/write-back.js';
import type { Verdict } from '../verdict/judge.js';
import type { Unwritten } from './unwritten.js';

/**
 * The result of running a failing unit again with write-back traced (`--explain`). The unit keeps the verdict
 * of its first run, whatever this run's verdict is.
 */
export type Explanation =
  | {
      ran: true;
      verdict: Verdict;
      reason: string;
      /** Signatures of findings without notices: whether the second run has those of the first run. */
      signatures: { again: string[]; gone: string[]; added: string[] };
      /** What the second run's unmounts left unwritten. Its inodes may have other numbers. */
      unwritten?: Unwritten | undefined;
      trace: ExplainedTrace;
      durationSeconds: number;
      /** Paths, relative to the run's directory. */
      artifacts: Record<string, string>;
    }
  /** `reason`: one clause without the full stop. */
  | { ran: false; reason: string };

/** Puts first the inodes that lost something at an unmount. */
export type ExplainedTrace = WriteBackTrace & {
  /** Number of inodes that are not listed. */
  omitted?: number;
};

/** The most inodes that JSON lists. */
const MOST_INODES = 200;

export function compareSignatures(
  first: readonly Finding[],
  second: readonly Finding[],
): Extract<Explanation, { ran: true }>['signatures'] {
  const before = signaturesOf(first);
  const after = signaturesOf(second);
  return {
    again: before.filter((one) => after.includes(one)),
    gone: before.filter((one) => !after.includes(one)),
    added: after.filter((one) => !before.includes(one)),
  };
}

function signaturesOf(findings: readonly Finding[]): string[] {
  const damage = findings.filter(({ severity }) => severity !== 'notice');
  return [...new Set(damage.map(({ signature }) => signature))].sort();
}

export function limitTrace(
  trace: WriteBackTrace,
  unwritten: Unwritten | undefined,
): ExplainedTrace {
  if (!trace.known) return trace;
  const lost = new Set(unwritten?.known ? unwritten.inodes.map(keyOf) : []);
  const isLost = (one: TracedInode) => lost.has(keyOf(one));
  const { inodes } = trace;
  const ordered = [...inodes.filter(isLost), ...inodes.filter((one) => !isLost(one))];
  const omitted = Math.max(0, inodes.length - MOST_INODES);
  return {
    ...trace,
    inodes: ordered.slice(0, MOST_INODES),
    ...(omitted > 0 ? { omitted } : {}),
  };
}

/** The trace of an inode that an unmount left unwritten. */
export function tracedInode(
  trace: ExplainedTrace,
  inode: { device: string; inode: number },
): TracedInode | undefined {
  if (!trace.known) return undefined;
  return trace.inodes.find((one) => keyOf(one) === keyOf(inode));
}

function keyOf({ device, inode }: { device: string; inode: number }): string {
  return `${device} ${inode}`;
}
