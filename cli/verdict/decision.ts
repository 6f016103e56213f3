import type { Finding } from '../findings/finding.js';

/** The contract's verdicts, from the best to the worst. */
export const VERDICTS = ['pass', 'notrun', 'error', 'invalid', 'fail'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The outcome of an xfstests test, in finer steps than the verdict. */
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
  /**
   * One sentence without the full stop. May contain the guest's words: escape it before printing.
   */
  reason: string;
  /** For an xfstests test. */
  outcome?: XfstestsOutcome | undefined;
}

/** Whether it fails a unit: every finding but a notice does. */
export function isSerious({ severity }: Finding): boolean {
  return severity !== 'notice';
}

export function quote(text: string): string {
  return `"${text}"`;
}

/** The first line that is not empty. */
export function firstLine(text: string, otherwise: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '');
  return (line ?? otherwise).trim();
}
