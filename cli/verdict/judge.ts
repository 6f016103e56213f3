import type { Finding } from '../findings/finding.js';
import { daxMessages } from '../findings/kernel-log.js';
import type { Ending } from '../guest/guest.js';
import type { GuestEvent } from '../guest/protocol.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { type DaxState, readProof } from './dax-proof.js';
import { nothingPromised, powerCutGap, whatSurvived } from './power-cut.js';
import {
  decideXfstests,
  lostDax,
  mountsWithoutDax,
  refusedForDax,
  testDeviceIsChecked,
  wasDamagedBefore,
  type XfstestsOutcome,
  xfstestsEvent,
  xfstestsFindings,
  xfstestsGap,
} from './xfstests.js';

/** As the contract has them. From the best to the worst. */
export const VERDICTS = ['pass', 'notrun', 'error', 'invalid', 'fail'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Judgement {
  verdict: Verdict;
  /** One sentence without the full stop. May hold words of the guest: escape it before printing. */
  reason: string;
  dax: {
    /** In use through the right driver, before the test and, where it came so far, after it. */
    proven: boolean;
    driver: string;
    mountOptions: string;
    statxBefore: boolean | undefined;
    statxAfter: boolean | undefined;
    /** Every look, in order. */
    states: DaxState[];
  };
  findings: Finding[];
  /** Of a test of xfstests. */
  outcome?: XfstestsOutcome | undefined;
}

/**
 * The verdict on a unit. The order of the questions is what keeps it true:
 *
 * 1. was it what was asked for (kernel, module, driver, DAX)? If not: `invalid`, whatever came out
 * 2. did the harness see it to its end? If not: `fail` where the guest itself broke, else `error`
 * 3. was something found? `fail`
 * 4. only then can it be `pass`
 */
export function judge(record: UnitRecord, expected: Expectation): Judgement {
  const states = eventsOf(record, 'proof').map((proof) => readProof(proof, expected));
  const before = states.find(({ when }) => when === 'before');
  const after = states.findLast(({ when }) => when === 'after');
  const wrong = whatIsWrong(record, states, expected) ?? whatWentWrong(record, expected);
  // What a power cut would have left is held against a unit whatever runs the test.
  const findings = [
    ...(record.powerCut?.findings ?? []),
    ...(expected.xfstests ? xfstestsFindings(record, expected) : builtinFindings(record)),
  ];
  const decision: Decision = wrong
    ? { verdict: 'invalid', reason: wrong }
    : before
      ? decideMounted(record, findings, after, expected)
      : decideUnmounted(record, expected);
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
 * Under xfstests each mount within the test is looked at. A test that does not apply may try out what
 * it wants.
 */
function whatWentWrong(record: UnitRecord, expected: Expectation): string | undefined {
  if (!expected.xfstests || decideXfstests(record, expected)?.verdict === 'notrun')
    return undefined;
  return lostDax(record, expected);
}

/** Of a test of xfstests that does not say itself what became of it. */
function outcomeOf(
  { ending }: UnitRecord,
  { verdict }: Decision,
  findings: readonly Finding[],
): XfstestsOutcome {
  if (verdict === 'pass') return 'passed';
  if (isGuestsOwnFault(ending)) return 'crashed';
  if (ending.kind === 'unit-timeout') return 'timed-out';
  if (verdict !== 'fail') return 'undecided';
  const serious = findings.filter(({ severity }) => severity !== 'notice');
  const by = new Set(serious.map(({ tool }) => tool));
  if (by.has('e2fsck') || by.has('xfs_repair')) return 'inconsistent';
  return by.has('power-cut') ? 'not-kept' : 'kernel-log';
}

type Decision = Pick<Judgement, 'verdict' | 'reason' | 'outcome'>;

function eventsOf<Name extends GuestEvent['event']>(
  record: UnitRecord,
  name: Name,
): Extract<GuestEvent, { event: Name }>[] {
  return record.events.filter((event) => event.event === name) as Extract<
    GuestEvent,
    { event: Name }
  >[];
}

/** Question 1: what makes it another thing than was asked for; undefined where nothing does. */
function whatIsWrong(
  record: UnitRecord,
  states: readonly DaxState[],
  expected: Expectation,
): string | undefined {
  // A clone's `ready` was said before it was saved, its `begin` after it was restored.
  const said = [record.ready, ...eventsOf(record, 'begin')];
  const other = said.find((event) => event && event.release !== expected.release);
  if (other) return `the guest runs kernel ${other.release}, not ${expected.release}`;
  const module = eventsOf(record, 'module')[0];
  if (module && expected.module?.sent && module.sha256 !== expected.module.sha256) {
    return `the guest loaded another ${expected.fs} module than it was sent`;
  }
  if (!module && expected.module?.sent && states.length > 0) {
    return `the guest did not load the ${expected.fs} module that it was sent`;
  }
  const refused = eventsOf(record, 'mount-failed')[0];
  if (refused) {
    const complaint = whyNotMounted(refused.kernelLog);
    return `${expected.fs} was not mounted: ${complaint ? quote(complaint) : lastLine(refused.message)}`;
  }
  // A file system that cannot be mounted again after the test may be what the test found; that is
  // decided with the findings.
  const disproof = states.find(
    ({ when, mounted, problems }) => problems.length > 0 && (mounted || when !== 'after'),
  );
  return disproof && describeDisproof(disproof);
}

/** What the kernel says when all is well explains nothing. */
const CONTENT = /DAX enabled|EXPERIMENTAL/;

/** The kernel's word about DAX, or else the last that it said since the mount began. */
function whyNotMounted(kernelLog: string): string | undefined {
  const lines = kernelLog.split('\n');
  const since = lines.slice(lines.findLastIndex((line) => /daxrepro: mount$/.test(line)) + 1);
  const plain = since
    .map((line) => line.replace(/^(<\d+>)?\[[^\]]*\] /, '').trim())
    .filter(Boolean);
  const complaints = [plain, daxMessages(since)].map((all) =>
    all.findLast((line) => !CONTENT.test(line)),
  );
  return complaints[1] ?? complaints[0];
}

function describeDisproof(disproof: DaxState): string {
  const said = disproof.messages.findLast((message) => !CONTENT.test(message));
  return [
    `${WHEN[disproof.when]} ${disproof.problems.join('; ')}`,
    said ? `; the kernel says ${quote(said)}` : '',
  ].join('');
}

const WHEN = {
  before: 'before the test',
  remount: 'at a remount within the test',
  scratch: 'on SCRATCH_DEV',
  after: 'after the test',
} as const;

function quote(text: string): string {
  return `"${text}"`;
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .find((line) => line.trim() !== '') ?? 'mount gave no reason'
  ).trim();
}

/** It never came to a mount: nothing can be said about the file system on DAX. */
function decideUnmounted(record: UnitRecord, { session }: Expectation): Decision {
  const gaveUp = eventsOf(record, 'gave-up')[0];
  if (gaveUp) return { verdict: 'error', reason: `${gaveUp.step}: ${lastLine(gaveUp.message)}` };
  if (session === 'image' && record.ending.kind === 'finished') {
    return { verdict: 'notrun', reason: 'an image was looked at, which is no test' };
  }
  return {
    verdict: 'error',
    reason:
      record.ending.kind === 'finished'
        ? 'the guest finished without mounting anything'
        : `${describeEnding(record.ending)}, before DAX was proven`,
  };
}

/** Questions 2 to 4, for a unit that was proven to be what was asked for when it began. */
function decideMounted(
  record: UnitRecord,
  findings: readonly Finding[],
  after: DaxState | undefined,
  expected: Expectation,
): Decision {
  const serious = findings.filter(({ severity }) => severity !== 'notice');
  const { ending } = record;
  if (ending.kind !== 'finished') {
    const reason = describeEnding(ending);
    // A guest that is only slow gets stuck nowhere; the kernel's own watchdogs tell the two apart.
    const stuck = ending.kind === 'unit-timeout' && serious.length > 0;
    if (stuck) return { verdict: 'fail', reason: describeFindings(serious, reason) };
    return { verdict: isGuestsOwnFault(ending) ? 'fail' : 'error', reason };
  }
  if (serious.some(({ kind }) => kind === 'out-of-memory')) {
    return { verdict: 'error', reason: 'the guest ran out of memory' };
  }
  if (!record.ready) return { verdict: 'error', reason: 'the guest did not say what it runs' };
  const failure = expected.xfstests ? decideXfstests(record, expected) : decideBuiltin(record);
  // Where our own test broke, so may have what it left; xfstests gives up for what it finds, too.
  if (failure?.verdict === 'error' && (serious.length === 0 || !expected.xfstests)) return failure;
  if (failure?.verdict === 'notrun' && serious.length === 0) return failure;

  if (serious.length > 0) {
    const reason = describeFindings(serious, failure?.reason);
    const already = wasDamagedBefore(record)
      ? '; it was there before the test: what TEST_DEV was filled with, and unmounted, shows it'
      : '';
    return { verdict: 'fail', reason: `${reason}${already}` };
  }
  const refused =
    expected.xfstests && !expected.control && failure?.verdict === 'fail'
      ? refusedForDax(record)
      : undefined;
  if (refused) {
    return {
      verdict: 'invalid',
      outcome: 'without-dax',
      reason: `the test asks for a mount that is refused with DAX, ${quote(refused)}; ${failure?.reason}`,
    };
  }
  if (failure) return failure;
  const gaveUp = whyGivenUp(record);
  if (gaveUp) return gaveUp;
  if (!after) return { verdict: 'error', reason: 'the guest did not prove DAX after the test' };
  if (!after.mounted) return { verdict: 'invalid', reason: describeDisproof(after) };

  const incomplete = expected.xfstests
    ? (whatWasNotChecked(record, devicesOfOurs(record)) ?? xfstestsGap(record))
    : whatWasNotChecked(record, mountedDevices(record));
  if (incomplete) return { verdict: 'error', reason: incomplete };
  const idle = nothingPromised(record);
  if (idle) return { verdict: 'notrun', reason: idle };
  const unknown = powerCutGap(record, expected);
  if (unknown) return { verdict: 'error', reason: unknown };
  const without = mountsWithoutDax(record, expected);
  return {
    verdict: 'pass',
    reason: `${expected.session ? 'the session ended' : 'the test ran to its end'} and nothing was found${
      record.powerCut ? `; ${whatSurvived(record.powerCut)}` : ''
    }${
      without > 0 ? `; ${without} of its mounts were without DAX, as it means them to be` : ''
    }${expected.xfstests && xfstestsEvent(record)?.watched === false ? NOT_COUNTED : ''}`,
  };
}

function decideBuiltin(record: UnitRecord): Decision | undefined {
  const [test, ...others] = eventsOf(record, 'test');
  if (others.length > 0) return { verdict: 'error', reason: 'the guest ran more than one test' };
  if (test) return decideTest(test);
  const nothing = {
    verdict: 'error' as const,
    reason: 'the guest finished without running the test',
  };
  return whyGivenUp(record) ?? nothing;
}

function whyGivenUp(record: UnitRecord): Decision | undefined {
  const gaveUp = eventsOf(record, 'gave-up')[0];
  return gaveUp && { verdict: 'error', reason: `${gaveUp.step}: ${lastLine(gaveUp.message)}` };
}

const NOT_COUNTED =
  '; this kernel has no kprobes, so a mount that was not made by mount(8) would not have been seen';

/** What the test itself says; undefined where it is content. */
function decideTest(test: Extract<GuestEvent, { event: 'test' }>): Decision | undefined {
  const failures = test.failures.split('\n').filter(Boolean);
  if (test.timedOut) return { verdict: 'fail', reason: 'the test did not end in its time' };
  switch (test.status) {
    case 0:
      return failures[0] === undefined ? undefined : { verdict: 'fail', reason: failures[0] };
    case 1: {
      const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
      return { verdict: 'fail', reason: `${failures[0] ?? lastLine(test.lastOutput)}${more}` };
    }
    case 77:
      return { verdict: 'notrun', reason: test.notrun.trim() || 'the test gave no reason' };
    case 127:
      return { verdict: 'error', reason: test.reason ?? 'the guest has no such test' };
    default: {
      const last = test.lastOutput.trim().split('\n').at(-1);
      return {
        verdict: 'error',
        reason: `the test itself broke, with exit code ${test.status}${last ? `: ${last}` : ''}`,
      };
    }
  }
}

function describeFindings(serious: readonly Finding[], alsoFailed: string | undefined): string {
  // Corruption first: it is what the rest follows from.
  const first = serious.find(({ severity }) => severity === 'corruption') ?? serious[0];
  const others = serious.length - 1;
  const more = others > 0 ? ` (and ${others} more ${others === 1 ? 'finding' : 'findings'})` : '';
  const test = alsoFailed ? `; the test: ${alsoFailed}` : '';
  return `${first?.tool}: ${first?.message}${more}${test}`;
}

/** Once a session has begun in which people call xfstests, SCRATCH_DEV is the tests' own. */
function mountedDevices({ events }: UnitRecord): ('test' | 'scratch')[] {
  const session = events.findIndex((event) => event.event === 'step' && event.name === 'session');
  const before = session < 0 ? events : events.slice(0, session);
  return before.some((event) => event.event === 'proof' && event.when === 'scratch')
    ? ['test', 'scratch']
    : ['test'];
}

/** The devices that we have to have checked ourselves after a test of xfstests. */
function devicesOfOurs(record: UnitRecord): ('test' | 'scratch')[] {
  return xfstestsEvent(record)?.together && testDeviceIsChecked(record) ? [] : ['test'];
}

/** A check that was not made, or not to its end, is no clean check. */
function whatWasNotChecked(
  record: UnitRecord,
  mounted: readonly ('test' | 'scratch')[],
): string | undefined {
  const made = eventsOf(record, 'fsck');
  const forgotten = mounted.find((device) => !made.some(({ name }) => name === device));
  if (forgotten) return `${forgotten.toUpperCase()}_DEV was not checked`;
  for (const { name, status } of made) {
    const report = record.checks[name];
    if (!report) return `the check of ${name.toUpperCase()}_DEV left no log that is known`;
    if (!report.completed) {
      return `the check of ${name.toUpperCase()}_DEV did not end: ${report.reason}`;
    }
    if (status !== 0 || !report.clean) {
      const unknown = report.unparsed[0];
      return `the check of ${name.toUpperCase()}_DEV ended with exit code ${status}${unknown ? ` and says ${quote(unknown)}` : ''}`;
    }
  }
  return undefined;
}

function builtinFindings(record: UnitRecord): Finding[] {
  const checks = Object.values(record.checks).flatMap((report) => report.findings);
  return [...checks, ...record.kernelFindings];
}

/** Whether it was the guest that broke, and not what it runs on. */
function isGuestsOwnFault(ending: Ending): boolean {
  switch (ending.kind) {
    case 'panic':
    case 'hang':
    case 'guest-shutdown':
      return true;
    default:
      return false;
  }
}

function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'finished':
      return 'the guest finished';
    case 'restore-failed':
      return `the guest's checkpoint could not be used: ${ending.message}`;
    case 'boot-timeout':
      return `the guest was not ready after ${ending.seconds} s`;
    case 'panic':
      return `the kernel panicked: ${ending.message}`;
    case 'hang':
      return `the guest gave no sign of life for ${ending.seconds} s, in step ${ending.step}`;
    case 'unit-timeout':
      return `the unit did not end in ${ending.seconds} s, in step ${ending.step}`;
    case 'guest-shutdown':
      return `the guest switched itself off in step ${ending.step}, with no panic on its console`;
    case 'qemu-died': {
      const how = ending.signal
        ? `was killed by ${ending.signal}`
        : `ended with ${ending.exitCode}`;
      return `QEMU ${how}${ending.message ? `: ${ending.message.split('\n').at(-1)}` : ''}`;
    }
    case 'protocol-violation':
      return `the guest sent ${ending.problem}`;
    case 'storage':
      return `the run's files could not be written: ${ending.message}`;
    case 'interrupted':
      return 'interrupted';
  }
}
