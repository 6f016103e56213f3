import type { Finding } from '../findings/finding.js';
import { daxMessages } from '../findings/kernel-log.js';
import { ADDITIONAL_DEVICES } from '../guest/additional-devices.js';
import type { MountEvent, XfstestsEvent } from '../guest/protocol.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { plural } from '../words.js';
import { showsDax } from './dax-proof.js';
import { isSerious, quote, type XfstestsOutcome } from './decision.js';
import { withProvoked } from './provoked.js';

/**
 * What a test of xfstests came to, from the evidence. Its `check` is one witness among others: its
 * exit code is 0 for a test that does not exist, for one that says it does not apply, and after a
 * SIGTERM, and 1 for a failed test and a broken set-up alike; it names no reason where only the check
 * of the file system failed; and it repairs TEST_DEV at once. A pass takes the witness's word in four
 * places, and that nothing speaks against it.
 */

export interface XfstestsDecision {
  verdict: 'fail' | 'notrun' | 'invalid' | 'error';
  reason: string;
  outcome: XfstestsOutcome;
}

type Asked = NonNullable<Expectation['xfstests']>;

export function xfstestsEvent({ events }: UnitRecord): XfstestsEvent | undefined {
  return events.find((event) => event.event === 'xfstests');
}

/** What the kernel counted, where it did. */
export function mountsCounted(
  record: UnitRecord,
): Pick<XfstestsEvent, 'watched' | 'unseenMounts'> | undefined {
  return xfstestsEvent(record) ?? record.events.find((event) => event.event === 'mounts');
}

function mountsOf({ events }: UnitRecord): MountEvent[] {
  return events.filter((event) => event.event === 'mount');
}

/**
 * Why DAX was not tested, or not all the time; undefined if every mount within the test used DAX,
 * except those that the test itself wants without.
 */
export function lostDax(record: UnitRecord, expected: Expectation): string | undefined {
  const { groups } = expected.xfstests ?? {};
  for (const mount of mountsOf(record)) {
    if (mount.directory === '') continue;
    const problem = mountProblem(mount, groups, expected);
    if (problem === undefined) continue;
    const when = { setup: 'before the test', test: 'within the test', check: 'after the test' };
    return `${when[mount.phase]} ${mount.device} was mounted ${problem} (mount ${mount.arguments})`;
  }
  const unseen = mountsCounted(record)?.unseenMounts ?? 0;
  return unseen > 0
    ? `the kernel counted ${plural(unseen, 'mount')} of ${expected.fs} that did not use mount(8); whether they used DAX is unknown`
    : undefined;
}

function mountProblem(
  mount: MountEvent,
  groups: readonly string[] | undefined,
  expected: Expectation,
): string | undefined {
  const driver = mount.servedByExt4 ? 'ext4' : mount.servedByXfs ? 'xfs' : 'ext2';
  if (driver !== expected.fs) return `by the ${driver} driver`;
  const dax = showsDax(mount.options);
  if (expected.control)
    return dax ? 'with DAX, but this is the control run without DAX' : undefined;
  if (dax && mount.misaligned !== '') {
    return `through device mapper in the middle of a page, where DAX reaches other bytes: ${mount.misaligned}`;
  }
  return dax || isMeant(mount, groups) ? undefined : `without DAX: ${mount.options}`;
}

/**
 * The kernel's message if it refused a mount within the test because of DAX: blocks smaller than a
 * page, data journalling. A test that fails for this reason says nothing about the file system on
 * DAX.
 */
export function refusedForDax(record: UnitRecord): string | undefined {
  return mountsOf(record)
    .filter(({ phase, directory, status }) => phase === 'test' && directory === '' && status !== 0)
    .flatMap(({ kernelLog }) => daxMessages(kernelLog.split('\n')))
    .find((line) => REFUSAL.test(line));
}

const REFUSAL =
  /unsupported|not supported|incompatible|can't mount|cannot|not allowed|turning off/i;

/** Mounts without DAX that the test itself asked for. */
export function mountsWithoutDax(record: UnitRecord, expected: Expectation): number {
  if (expected.control || !(expected.xfstests || expected.userTest)) return 0;
  return mountsOf(record).filter(({ directory, options }) => directory && !showsDax(options))
    .length;
}

/**
 * Whether a mount is without DAX on purpose: its command says `dax=never` or `dax=inode` last, or
 * the test is about DAX and its command does not ask for it.
 */
function isMeant({ arguments: given, phase }: MountEvent, groups: readonly string[] = []): boolean {
  if (phase !== 'test') return false;
  const last = [...given.matchAll(/(?<=^|[\s,])dax(?:=(\w+))?(?=$|[\s,])/g)].at(-1);
  if (last) return last[1] === 'never' || last[1] === 'inode';
  return groups.includes('dax');
}

/** The outcome by check and the test; undefined if they report a pass and have the evidence. */
export function decideXfstests(
  record: UnitRecord,
  expected: Expectation,
): XfstestsDecision | undefined {
  const { test: id } = expected.xfstests as Asked;
  const said = xfstestsEvent(record);
  if (!said) {
    const broken = record.events.find((event) => event.event === 'test');
    const gaveUp = record.events.find((event) => event.event === 'gave-up');
    const because = gaveUp && `${gaveUp.step}: ${gaveUp.message.trim()}`;
    return undecided(broken?.reason ?? because ?? 'the guest finished without running the test');
  }
  const lines = said.output.split('\n').map((line) => line.trimEnd());
  const files = said.files.split(' ');
  if (said.timedOut) {
    return {
      verdict: 'error',
      outcome: 'timed-out',
      reason: 'the test timed out; --timeout allows more time',
    };
  }
  const unknown = lines.some(
    (line) => line.startsWith(`${id} - unknown test`) || /^\S+\s+- no such test\?/.test(line),
  );
  if (unknown) {
    return { verdict: 'invalid', outcome: 'unknown-test', reason: `xfstests has no test ${id}` };
  }
  if (files.includes('notrun')) {
    const why = said.notrun.trim();
    const reason = `${why || 'the test gave no reason'}${lackingDevices(expected)}`;
    return { verdict: 'notrun', outcome: 'not-run', reason };
  }
  if (lines.includes('Interrupted!')) return undecided('check was interrupted');
  // Of many tests, check prints a summary at the end; each has a line of its own before that.
  const ran = said.together
    ? lines.some((line) => line === id || line.startsWith(`${id} `))
    : lines.some((line) => /^Ran: /.test(line) && line.split(' ').includes(id));
  if (!ran) {
    const last = lines.findLast((line) => line.trim() !== '');
    return undecided(`xfstests' check did not run the test: ${last ?? 'it printed nothing'}`);
  }
  return decideRan(id, said, lines, files);
}

/** Names the options that would have given the test the devices which it says it needs. */
function lackingDevices({ xfstests, devices = [] }: Expectation): string {
  const given: readonly string[] = ADDITIONAL_DEVICES.filter(({ variable }) =>
    devices.includes(variable),
  ).map(({ option }) => option);
  const lacking = (xfstests?.needs ?? []).filter((option) => !given.includes(option));
  const options = lacking.map((option) => `--${option}`).join(' and ');
  return options === '' ? '' : `; run it with ${options}`;
}

/** mawk's messages about gawk's functions in the test's output: tests are written for gawk. */
const AWK_LACKS = /^\+m?awk: .*function (\w+) never defined$/m;

function decideRan(
  id: string,
  said: XfstestsEvent,
  lines: readonly string[],
  files: readonly string[],
): XfstestsDecision | undefined {
  const failed = (outcome: XfstestsOutcome, reason: string): XfstestsDecision => ({
    verdict: 'fail',
    outcome,
    reason,
  });
  const status = /\[failed, exit status (\d+)\]/.exec(said.output)?.[1];
  const foreignAwk = AWK_LACKS.exec(said.difference)?.[1];
  if (foreignAwk) {
    return undecided(
      `the test needs ${foreignAwk}() in awk, which this machine's awk lacks; install gawk (package gawk)`,
    );
  }
  if (files.includes('out.bad')) {
    const changed = said.difference.split('\n').filter((line) => /^[+-](?![+-]{2} )/.test(line));
    const shown = changed.slice(0, 3).map((line) => `[${line.slice(0, 200)}]`);
    const more = changed.length > 3 ? ` and ${changed.length - 3} more lines` : '';
    const exit = status ? `, and its exit status is ${status}` : '';
    return failed('output-differs', `the test's output differs: ${shown.join(' ')}${more}${exit}`);
  }
  if (!said.expectedOutput) return undecided(`the tree has no tests/${id}.out to compare with`);
  if (status) return failed('exit-status', `the test exited with status ${status}`);
  if (files.includes('core')) return failed('exit-status', 'a program of the test dumped core');
  const inconsistent = lines.find((line) => /\bfilesystem on \S+ is inconsistent/.test(line));
  if (inconsistent) return failed('inconsistent', strip(inconsistent));
  const dmesg = lines.find((line) => /_check_dmesg: something found in dmesg/.test(line));
  if (dmesg) return failed('kernel-log', 'xfstests reports errors in the kernel log');
  const failures = lines.find((line) => /^Failures: /.test(line) && line.split(' ').includes(id));
  if (failures) return failed('exit-status', `check counts the test as failed: ${strip(failures)}`);

  // All of them, or the test is not known to have passed.
  const timed = said.times.split('\n').some((line) => /^\d+$/.test(line.slice(id.length + 1)));
  const own = said.together
    ? [hasTimeOf(id, lines) ? undefined : 'its line for the test does not end with a duration']
    : [
        said.status === 0 ? undefined : `its exit code is ${said.status}`,
        lines.includes('Passed all 1 tests') ? undefined : 'it does not say "Passed all 1 tests"',
      ];
  const missing = [...own, timed ? undefined : 'check.time has no line for the test'].filter(
    (problem) => problem !== undefined,
  );
  if (missing.length === 0) return undefined;
  return undecided(`check does not show that the test passed: ${missing.join(', ')}`);
}

/** `generic/002 4s ... 5s`: only a test that passed has the last part. */
function hasTimeOf(id: string, lines: readonly string[]): boolean {
  return lines.some(
    (line) => line.startsWith(`${id} `) && /^(\s+\d+s \.\.\.)?\s+\d+s$/.test(line.slice(id.length)),
  );
}

function undecided(reason: string): XfstestsDecision {
  return { verdict: 'error', outcome: 'undecided', reason };
}

function strip(line: string): string {
  return line.trim();
}

/**
 * The findings: of the checks by xfstests itself, which come first because it repairs what they
 * find, of our own checks at the end, and of the kernel's log. What the test provokes on purpose is
 * a notice.
 */
export function xfstestsFindings(record: UnitRecord, expected: Expectation): Finding[] {
  const found = new Map<string, Finding>();
  const add = (finding: Finding) => {
    const key = `${finding.device} ${finding.message}`;
    const known = found.get(key);
    if (!known || (!isSerious(known) && isSerious(finding))) found.set(key, finding);
  };
  const damaged = new Set<string>();
  for (const { event, report } of record.suiteChecks ?? []) {
    // A repair reports again what the check before it found, in other words.
    if (!event.readOnly && damaged.has(event.device)) continue;
    for (const finding of report?.findings ?? []) add(finding);
    if (report && !report.clean) damaged.add(event.device);
  }
  for (const finding of record.checks.test?.findings ?? []) add(finding);
  return [...found.values(), ...withProvoked(record, expected)];
}

/** Whether check found damage before the test began, on a TEST_DEV with only its initial files. */
export function wasDamagedBefore({ suiteChecks = [] }: UnitRecord): boolean {
  return suiteChecks.some(
    ({ event, report }) =>
      event.phase === 'setup' &&
      report?.findings.some(({ severity }) => severity !== 'notice') === true,
  );
}

/**
 * Whether xfstests itself found TEST_DEV clean after the test, and left it alone since. For many
 * tests in one guest this must do: our own check would be the second.
 */
export function testDeviceIsChecked(record: UnitRecord): boolean {
  return (record.suiteChecks ?? []).some(
    ({ event, report }) =>
      event.phase === 'check' &&
      event.device === record.ready?.testDevice &&
      event.readOnly &&
      event.status === 0 &&
      report?.completed === true &&
      report.clean,
  );
}

/** What is missing for a pass although the test passed; undefined if nothing is. */
export function xfstestsGap(record: UnitRecord): string | undefined {
  for (const { event, report } of record.suiteChecks ?? []) {
    if (event.phase === 'test') continue;
    const where = `xfstests' check of ${event.device}`;
    if (!report) return `${where} left no log that daxrepro knows`;
    if (!report.completed) return `${where} did not finish: ${report.reason}`;
    if (event.status !== 0 || !report.clean) {
      const unknown = report.unparsed[0];
      return `${where} exited with code ${event.status}${unknown ? ` and printed an unknown line: ${quote(unknown)}` : ''}`;
    }
  }
  const scratch = record.ready?.scratchDevice;
  const used = mountsOf(record).some(
    ({ phase, device, directory }) => phase !== 'setup' && directory && device === scratch,
  );
  const proven = record.events.some(
    (event) => event.event === 'proof' && event.when === 'scratch' && event.mounted,
  );
  return used && !proven ? 'DAX was not proven on SCRATCH_DEV' : undefined;
}
