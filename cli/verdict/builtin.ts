import type { Finding } from '../findings/finding.js';
import { nodeOf } from '../guest/layers.js';
import { type EventNamed, eventsOf } from '../record/events.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { type Decision, firstLine } from './decision.js';
import { withPoison } from './poison.js';

/** The result of a built-in test; undefined if it reports that it passed. */
export function decideBuiltin(record: UnitRecord): Decision | undefined {
  const [test, ...others] = eventsOf(record, 'test');
  if (others.length > 0) return { verdict: 'error', reason: 'the guest ran more than one test' };
  if (test) return decideTest(test);
  return (
    decideGaveUp(record) ?? {
      verdict: 'error',
      reason: 'the guest finished without running the test',
    }
  );
}

/** Why the guest gave up; undefined if it did not. */
export function decideGaveUp(record: UnitRecord): Decision | undefined {
  const gaveUp = eventsOf(record, 'gave-up')[0];
  if (!gaveUp) return undefined;
  const why = firstLine(gaveUp.message, 'it gave no reason');
  return { verdict: 'error', reason: `${gaveUp.step}: ${why}` };
}

function decideTest(test: EventNamed<'test'>): Decision | undefined {
  const failures = test.failures.split('\n').filter(Boolean);
  if (test.timedOut) return { verdict: 'fail', reason: 'the test timed out' };
  switch (test.status) {
    case 0:
      return failures[0] === undefined ? undefined : { verdict: 'fail', reason: failures[0] };
    case 1: {
      const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
      const first = failures[0] ?? firstLine(test.lastOutput, 'the test gave no reason');
      return { verdict: 'fail', reason: `${first}${more}` };
    }
    case 77:
      return { verdict: 'notrun', reason: test.notrun.trim() || 'the test gave no reason' };
    case 127:
      return { verdict: 'error', reason: test.reason ?? 'the guest has no such test' };
    default: {
      const last = test.lastOutput.trim().split('\n').at(-1);
      return {
        verdict: 'error',
        reason: `the test itself broke with exit code ${test.status}${last ? `: ${last}` : ''}`,
      };
    }
  }
}

/**
 * Errors of reading SCRATCH_DEV that a bundled test provokes are notices that say so. A user's test
 * and a session cannot announce any.
 */
export function builtinFindings(record: UnitRecord, expected: Expectation): Finding[] {
  const checks = Object.values(record.checks).flatMap((report) => report.findings);
  const [test] = eventsOf(record, 'test');
  const announced = test?.provokes.trim() === 'media-errors';
  const found = withPoison(record, expected);
  if (!announced || expected.userTest || expected.session) return [...checks, ...found];
  const [begin] = eventsOf(record, 'begin');
  const scratch = nodeOf(begin?.scratchDevice ?? record.ready?.scratchDevice ?? '');
  return [
    ...checks,
    ...found.map((finding): Finding => {
      const { kind, device } = finding;
      const provoked = (kind === 'io-error' || kind === 'fs-error') && device === scratch;
      return provoked
        ? { ...finding, severity: 'notice', provoked: 'it reads poisoned memory' }
        : finding;
    }),
  ];
}
