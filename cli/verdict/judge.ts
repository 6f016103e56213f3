import type { Finding } from '../findings/finding.js';
import type { ProofEvent } from '../guest/protocol.js';
import { eventsOf } from '../record/events.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { builtinFindings, decideBuiltin, decideGaveUp } from './builtin.js';
import { type DaxState, readProof } from './dax-proof.js';
import { type Decision, isSerious, type XfstestsOutcome } from './decision.js';
import { describeEnding, isGuestsOwnFault } from './ending.js';
import { mismatchWithRequest } from './mismatch.js';
import { decideMounted, mountedUnit } from './mounted.js';
import { decidedWithPoison, poisonMissing } from './poison.js';
import { withStarvation } from './starvation.js';
import { decideXfstests, lostDax, xfstestsFindings } from './xfstests.js';

export { VERDICTS, type Verdict, type XfstestsOutcome } from './decision.js';

export interface Judgement extends Decision {
  dax: {
    /** In use through the right driver, before the test and, if it came that far, after it. */
    proven: boolean;
    driver: string;
    mountOptions: string;
    statxBefore: boolean | undefined;
    statxAfter: boolean | undefined;
    /** Every look, in order. */
    states: DaxState[];
  };
  findings: Finding[];
}

/**
 * The verdict on a unit. The order of the questions is what keeps it true:
 *
 * 1. was it what was asked for (kernel, module, driver, DAX)? If not: `invalid`, whatever came out
 * 2. did the harness see it to its end? If not: `fail` where the guest itself broke, else `error`
 * 3. was something found? `fail`
 * 4. only then can it be `pass`
 *
 * Questions 2 to 4 are MOUNTED_CHECKS.
 */
export function judge(record: UnitRecord, expected: Expectation): Judgement {
  return withStarvation(record, (weighed) => judgeGuest(weighed, expected));
}

function judgeGuest(record: UnitRecord, expected: Expectation): Judgement {
  const states = looksOf(record).map((proof) => readProof(proof, expected));
  const before = states.find(({ when }) => when === 'before');
  const after = states.findLast(({ when }) => when === 'after');
  const wrong =
    mismatchWithRequest(record, states, expected) ??
    daxLostWithinTest(record, expected) ??
    poisonMissing(record, expected);
  // Damage that a power cut would have left counts against a unit, whatever runs the test.
  const findings = [
    ...(record.powerCut?.findings ?? []),
    ...(expected.xfstests ? xfstestsFindings(record, expected) : builtinFindings(record, expected)),
  ];
  const judged: Decision = wrong
    ? { verdict: 'invalid', reason: wrong }
    : before
      ? decideMounted(mountedUnit(record, findings, states, expected))
      : decideUnmounted(record, expected);
  const decision = decidedWithPoison(record, judged, findings, expected);
  return {
    ...decision,
    dax: {
      proven: !expected.control && before !== undefined && wrong === undefined,
      driver: before?.driver ?? 'none',
      mountOptions: before?.mountOptions ?? '',
      statxBefore: before?.statxDax,
      statxAfter: after?.statxDax,
      states,
    },
    findings,
    ...(expected.xfstests
      ? {
          outcome: wrong
            ? 'without-dax'
            : (decision.outcome ?? outcomeOf(record, decision, findings)),
        }
      : {}),
  };
}

/**
 * The looks of this guest itself: in a clone that began with its file system mounted, those since it
 * began its unit.
 */
function looksOf(record: UnitRecord): ProofEvent[] {
  const { events, clonedMounted } = record;
  if (!clonedMounted) return eventsOf(record, 'proof');
  const begin = events.findLastIndex(({ event }) => event === 'begin');
  return begin < 0 ? [] : eventsOf({ events: events.slice(begin) }, 'proof');
}

/**
 * Under xfstests and in a user's test, every mount within the test is checked. A test that does not
 * apply may try anything.
 */
function daxLostWithinTest(record: UnitRecord, expected: Expectation): string | undefined {
  if (!expected.xfstests && !expected.userTest) return undefined;
  const test = expected.xfstests ? decideXfstests(record, expected) : decideBuiltin(record);
  if (test?.verdict === 'notrun') return undefined;
  return lostDax(record, expected);
}

/** For an xfstests test that does not report its own outcome. */
function outcomeOf(
  { ending }: UnitRecord,
  { verdict }: Decision,
  findings: readonly Finding[],
): XfstestsOutcome {
  if (verdict === 'pass') return 'passed';
  if (isGuestsOwnFault(ending)) return 'crashed';
  if (ending.kind === 'unit-timeout') return 'timed-out';
  if (verdict !== 'fail') return 'undecided';
  const by = new Set(findings.filter(isSerious).map(({ tool }) => tool));
  if (by.has('e2fsck') || by.has('xfs_repair')) return 'inconsistent';
  return by.has('power-cut') ? 'not-kept' : 'kernel-log';
}

/** There was no mount, so nothing can be said about the file system on DAX. */
function decideUnmounted(record: UnitRecord, { session }: Expectation): Decision {
  const gaveUp = decideGaveUp(record);
  if (gaveUp) return gaveUp;
  const { ending } = record;
  if (ending.kind !== 'finished') {
    return { verdict: 'error', reason: `${describeEnding(ending)}, before DAX was proven` };
  }
  return session === 'image'
    ? { verdict: 'notrun', reason: 'the session opened an image and ran no test' }
    : { verdict: 'error', reason: 'the guest finished without mounting anything' };
}
