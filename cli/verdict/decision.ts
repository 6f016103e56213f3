import type { Finding } from '../findings/finding.js';

/** As the contract has them. From the best to the worst. */
export const VERDICTS = ['pass', 'notrun', 'error', 'invalid', 'fail'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What became of a test of xfstests, in finer words than the verdict's. */
export const XFSTESTS_OUTCOMES = [
  'passed',
  'output-differs',
  'exit-status',
  'inconsistent',
  'not-kept',
  'kernel-log',
  'crashed',
  'timed-out',
  'not-run',
  'unknown-test',
  'without-dax',
  'undecided',
] as const;
export type XfstestsOutcome = (typeof XFSTESTS_OUTCOMES)[number];

export interface Decision {
  verdict: Verdict;
  /** One sentence without the full stop. May hold words of the guest: escape it before printing. */
  reason: string;
  /** Of a test of xfstests. */
  outcome?: XfstestsOutcome | undefined;
}

/** Whether it fails a unit: all but notices do. */
export function isSerious({ severity }: Finding): boolean {
  return severity !== 'notice';
}

export function quote(text: string): string {
  return `"${text}"`;
}

/** The first line with something in it. */
export function firstLine(text: string, otherwise: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '');
  return (line ?? otherwise).trim();
}
