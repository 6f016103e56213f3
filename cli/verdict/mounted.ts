import type { Finding } from '../findings/finding.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { plural } from '../words.js';
import { decideBuiltin, decideGaveUp } from './builtin.js';
import type { DaxState } from './dax-proof.js';
import { type Decision, isSerious, quote } from './decision.js';
import { describeEnding, isGuestsOwnFault } from './ending.js';
import { devicesOfBuiltin, devicesOfXfstests, gapInFinalChecks } from './final-checks.js';
import { describeDisproof, describeGap } from './mismatch.js';
import { nothingPromised, powerCutGap, whatSurvived } from './power-cut.js';
import {
  decideXfstests,
  mountsCounted,
  mountsWithoutDax,
  refusedForDax,
  wasDamagedBefore,
  xfstestsGap,
} from './xfstests.js';

/** The verdict on a unit that was proven to be as requested when its test began. */

export interface MountedUnit {
  record: UnitRecord;
  expected: Expectation;
  /** All findings except notices. */
  serious: readonly Finding[];
  /** The last look at DAX after the test. */
  after: DaxState | undefined;
  /** All looks at DAX. */
  states: readonly DaxState[];
  /** The test's own result; undefined if it passed. */
  test: Decision | undefined;
}

/** One check of a unit; undefined if the next one decides. */
export type MountedCheck = (unit: MountedUnit) => Decision | undefined;

/**
 * The first that decides does. The order is what keeps a verdict true:
 *
 * - a guest that did not come to its end, or had no memory, leaves findings that prove little
 * - a test that could not be run, or does not apply, says nothing unless something was found
 * - what was found comes before what the test says of itself
 * - what a pass lacks is only asked of a unit that would be one
 */
export const MOUNTED_CHECKS: readonly MountedCheck[] = [
  endedEarly,
  ranOutOfMemory,
  neverReady,
  testUndecided,
  testNotRun,
  damageFound,
  mountRefusedForDax,
  testFailed,
  guestGaveUp,
  daxUnprovenAfterTest,
  notMountedAfterTest,
  dataNotCompared,
  deviceUnchecked,
  nothingToPromise,
  powerCutInconclusive,
  kernelLogIncomplete,
];

export function mountedUnit(
  record: UnitRecord,
  findings: readonly Finding[],
  states: readonly DaxState[],
  expected: Expectation,
): MountedUnit {
  const after = states.findLast(({ when }) => when === 'after');
  const test = expected.xfstests ? decideXfstests(record, expected) : decideBuiltin(record);
  return { record, expected, serious: findings.filter(isSerious), after, states, test };
}

export function decideMounted(unit: MountedUnit): Decision {
  for (const check of MOUNTED_CHECKS) {
    const decision = check(unit);
    if (decision) return decision;
  }
  return passed(unit);
}

export function endedEarly({
  record: { ending },
  serious,
  expected,
}: MountedUnit): Decision | undefined {
  if (ending.kind === 'finished') return undefined;
  const reason = describeEnding(ending);
  if (expected.userTest && ending.kind === 'guest-shutdown') {
    return { verdict: 'error', reason: `${reason}; the test may have done that itself` };
  }
  // A guest that is only slow does not get stuck; the kernel's own watchdogs tell the two apart.
  const stuck = ending.kind === 'unit-timeout' && serious.length > 0;
  if (stuck) return { verdict: 'fail', reason: describeFindings(serious, reason) };
  return { verdict: isGuestsOwnFault(ending) ? 'fail' : 'error', reason };
}

export function ranOutOfMemory({ serious }: MountedUnit): Decision | undefined {
  return serious.some(({ kind }) => kind === 'out-of-memory')
    ? { verdict: 'error', reason: 'the guest ran out of memory' }
    : undefined;
}

export function neverReady({ record }: MountedUnit): Decision | undefined {
  return record.ready
    ? undefined
    : { verdict: 'error', reason: 'the guest did not report its kernel' };
}

/**
 * If our own test broke, its leftovers may be broken too. xfstests also gives up because of what it
 * finds.
 */
export function testUndecided({ test, serious, expected }: MountedUnit): Decision | undefined {
  if (test?.verdict !== 'error') return undefined;
  return serious.length === 0 || !expected.xfstests ? test : undefined;
}

export function testNotRun({ test, serious }: MountedUnit): Decision | undefined {
  return test?.verdict === 'notrun' && serious.length === 0 ? test : undefined;
}

export function damageFound({ record, serious, test }: MountedUnit): Decision | undefined {
  if (serious.length === 0) return undefined;
  const already = wasDamagedBefore(record)
    ? '; the damage is older than the test: TEST_DEV had it with only its initial files'
    : '';
  return { verdict: 'fail', reason: `${describeFindings(serious, test?.reason)}${already}` };
}

export function mountRefusedForDax({ record, expected, test }: MountedUnit): Decision | undefined {
  if (!hasOwnMounts(expected) || expected.control || test?.verdict !== 'fail') return undefined;
  const refusal = refusedForDax(record);
  if (!refusal) return undefined;
  return {
    verdict: 'invalid',
    ...(expected.xfstests ? { outcome: 'without-dax' } : {}),
    reason: `the kernel refused a mount of the test because of DAX (${quote(refusal)}); ${test.reason}`,
  };
}

export function testFailed({ test }: MountedUnit): Decision | undefined {
  return test;
}

export function guestGaveUp({ record }: MountedUnit): Decision | undefined {
  return decideGaveUp(record);
}

export function daxUnprovenAfterTest({ after }: MountedUnit): Decision | undefined {
  return after
    ? undefined
    : { verdict: 'error', reason: 'there is no proof of DAX after the test' };
}

export function notMountedAfterTest({ after }: MountedUnit): Decision | undefined {
  return after && (!after.mounted || after.problems.length > 0)
    ? { verdict: 'invalid', reason: describeDisproof(after) }
    : undefined;
}

/** Every look has to show that DAX reaches the bytes of the block device. */
export function dataNotCompared({ states }: MountedUnit): Decision | undefined {
  const gap = states.find(({ gaps }) => gaps.length > 0);
  return gap ? { verdict: 'error', reason: describeGap(gap) } : undefined;
}

export function deviceUnchecked({ record, expected }: MountedUnit): Decision | undefined {
  const reason = expected.xfstests
    ? (gapInFinalChecks(record, devicesOfXfstests(record)) ?? xfstestsGap(record))
    : gapInFinalChecks(record, devicesOfBuiltin(record));
  return reason === undefined ? undefined : { verdict: 'error', reason };
}

export function nothingToPromise({ record }: MountedUnit): Decision | undefined {
  const reason = nothingPromised(record);
  return reason === undefined ? undefined : { verdict: 'notrun', reason };
}

export function powerCutInconclusive({ record, expected }: MountedUnit): Decision | undefined {
  const reason = powerCutGap(record, expected);
  return reason === undefined ? undefined : { verdict: 'error', reason };
}

/** A complaint may be among the lines that the kernel dropped. */
export function kernelLogIncomplete({ record }: MountedUnit): Decision | undefined {
  return record.kernelFindings.some(({ kind }) => kind === 'log-gap')
    ? {
        verdict: 'error',
        reason: 'the kernel dropped lines of its log, which may hold a complaint',
      }
    : undefined;
}

/** Whether the test mounts file systems by itself, out of our sight. */
function hasOwnMounts({ xfstests, userTest }: Expectation): boolean {
  return xfstests !== undefined || userTest === true;
}

const NOT_COUNTED =
  'this kernel has no kprobes, so a mount that did not use mount(8) may have been missed';

function passed({ record, expected }: MountedUnit): Decision {
  const without = mountsWithoutDax(record, expected);
  const counted = !hasOwnMounts(expected) || mountsCounted(record)?.watched !== false;
  const parts = [
    `${expected.session ? 'the session ended' : 'the test passed'} and no problems were found`,
    record.powerCut && whatSurvived(record.powerCut),
    without > 0 && `the test turned DAX off on purpose for ${plural(without, 'mount')}`,
    !counted && NOT_COUNTED,
  ];
  return { verdict: 'pass', reason: parts.filter(Boolean).join('; ') };
}

function describeFindings(serious: readonly Finding[], alsoFailed: string | undefined): string {
  // Corruption first: the rest follows from it.
  const first = serious.find(({ severity }) => severity === 'corruption') ?? serious[0];
  const others = serious.length - 1;
  const more = others > 0 ? ` (and ${others} more ${others === 1 ? 'finding' : 'findings'})` : '';
  const test = alsoFailed ? `; the test: ${alsoFailed}` : '';
  return `${first?.tool}: ${first?.message}${more}${test}`;
}
