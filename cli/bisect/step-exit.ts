import { EXIT, type Failure, STOP_BISECTION } from '../outcome.js';
import type { RunOutcome } from './outcome.js';

/**
 * The exit codes of a step of `git bisect run` (git-bisect(1)): 0 good, 1 to 124 and 126, 127 bad, 125
 * cannot tell, 128 and more end the bisection. Every other code that could come from us would be taken
 * for bad.
 */
export const STEP_EXIT = { good: 0, bad: 1, unknown: 125, stop: STOP_BISECTION } as const;

export function stepExitOf(outcome: RunOutcome): number {
  return outcome === 'broken' ? STEP_EXIT.stop : STEP_EXIT[outcome];
}

/** Of a failure before there was a guest. What lies in the commit is passed over, all else stops. */
export function stepExitOfFailure({ kind }: Failure): number {
  if (kind === 'interrupted') return EXIT.interrupted;
  return kind === 'build-failed' || kind === 'change-rejected' ? STEP_EXIT.unknown : STEP_EXIT.stop;
}
