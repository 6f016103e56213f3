import { EXIT, type Failure, STOP_BISECTION } from '../outcome.js';
import type { RunOutcome } from './outcome.js';

/**
 * The exit codes of a step of `git bisect run` (git-bisect(1)): 0 is good, 125 skips the commit, 128
 * and above stop the bisection. Git takes every other code as bad, so no other may escape.
 */
export const STEP_EXIT = { good: 0, bad: 1, unknown: 125, stop: STOP_BISECTION } as const;

export function stepExitOf(outcome: RunOutcome): number {
  return outcome === 'broken' ? STEP_EXIT.stop : STEP_EXIT[outcome];
}

/** For a failure before the guest starts: skips the commit if its sources are the cause, else stops. */
export function stepExitOfFailure({ kind }: Failure): number {
  if (kind === 'interrupted') return EXIT.interrupted;
  return kind === 'build-failed' || kind === 'change-rejected' ? STEP_EXIT.unknown : STEP_EXIT.stop;
}
