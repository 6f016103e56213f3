import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import type { MountEvent, XfstestsEvent } from '../../cli/guest/protocol.js';
import { NOT_CUT } from '../../cli/record/power-cut.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';
import { judge, type Verdict, type XfstestsOutcome } from '../../cli/verdict/judge.js';
import { expectation, type Fs, finding, replaced, report, testEvent } from './records.js';
import {
  CORRUPTED,
  check,
  DAMAGED,
  FAILED,
  goodXfstests as good,
  ID,
  mount,
  PASSED,
  said,
} from './xfstests-records.js';

/** The record of a test that is one of many in its guest. */
const AMONG: Partial<XfstestsEvent> = { together: true, output: `${ID}   4s ...  5s\n` };

const withoutOwnCheck = (record: UnitRecord): UnitRecord => ({
  ...replaced(record, 'fsck', () => []),
  checks: {},
});

const saying = (more: Partial<XfstestsEvent>) => (record: UnitRecord) =>
  replaced(record, 'xfstests', () => [said(more)]);
const mounting =
  (...mounts: Partial<MountEvent>[]) =>
  (record: UnitRecord, fs: Fs) =>
    replaced(record, 'xfstests', (event) => [...mounts.map((one) => mount(fs, one)), event]);
const ended = (ending: UnitRecord['ending']) => (record: UnitRecord) => ({
  ...record,
  ending,
  events: record.events.filter(({ event }) => event === 'proof' || event === 'module'),
});

const NOT_KEPT: Finding = {
  tool: 'power-cut',
  device: '/dev/pmem0',
  message: 'fsx/075.0: bytes 124480 to 126079 are not what was there before the call',
  signature: 'power-cut:data:msync:not-written-back',
  severity: 'corruption',
};

const UNREADABLE = (device: string) =>
  finding({
    kind: 'fs-error',
    device,
    message: `EXT2-fs (${device}): error: unable to read superblock`,
    severity: 'corruption',
  });

/** What xfs prints on request, and ext4's journal. */
const SHUT_DOWN: Finding[] = [
  finding({
    ...{ kind: 'fs-error', device: 'pmem0', severity: 'notice' },
    message: 'XFS (pmem0): User initiated shutdown received.',
  }),
  finding({
    ...{ kind: 'fs-error', device: 'pmem0', severity: 'corruption' },
    message:
      'XFS (pmem0): Log I/O Error (0x6) detected at xfs_fs_goingdown. Shutting down filesystem.',
  }),
  finding({
    ...{ kind: 'fs-error', device: 'pmem0-8', severity: 'corruption' },
    message: 'Aborting journal on device pmem0-8.',
  }),
];

const NO_XFS = finding({
  ...{ kind: 'fs-error', device: 'pmem1', severity: 'corruption' },
  message: 'XFS (pmem1): Invalid superblock magic number',
});

const IO_ERROR = (message: string) =>
  finding({ kind: 'io-error', device: 'loop0', message, severity: 'corruption' });

interface Case {
  name: string;
  fs?: Fs[];
  record?: (record: UnitRecord, fs: Fs) => UnitRecord;
  facts?: Partial<NonNullable<Expectation['xfstests']>>;
  control?: boolean;
  verdict: Verdict;
  outcome: XfstestsOutcome;
  reason: RegExp;
}

const CASES: Case[] = [
  { name: 'all is well', verdict: 'pass', outcome: 'passed', reason: /no problems were found$/ },

  {
    name: 'all is well, but for what a power cut would have left',
    record: (record) => ({ ...record, powerCut: { ...NOT_CUT, findings: [NOT_KEPT] } }),
    verdict: 'fail',
    outcome: 'not-kept',
    reason: /^power-cut: fsx\/075\.0: bytes 124480 to 126079 are not what was there/,
  },

  // One of many tests of one call of check, which has not printed its summary yet.
  {
    name: 'among many',
    record: saying(AMONG),
    verdict: 'pass',
    outcome: 'passed',
    reason: /found$/,
  },
  {
    name: 'among many, on TEST_DEV that xfstests itself found clean',
    record: (record) => withoutOwnCheck(saying(AMONG)(record)),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'among many, on TEST_DEV that nobody checked since it began',
    record: (record) => ({
      ...withoutOwnCheck(saying(AMONG)(record)),
      suiteChecks: [{ event: check({ phase: 'setup' }), report: report() }],
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /TEST_DEV was not checked/,
  },
  {
    name: 'alone, on TEST_DEV that only xfstests checked',
    record: (record) => withoutOwnCheck(record),
    verdict: 'error',
    outcome: 'undecided',
    reason: /TEST_DEV was not checked/,
  },
  {
    name: 'among many, without its time in its line',
    record: saying({ ...AMONG, output: `${ID}   4s ... \n` }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /its line for the test does not end with a duration$/,
  },
  {
    name: "among many, with another test's line",
    record: saying({ ...AMONG, output: 'generic/0021  5s\n' }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /check did not run the test/,
  },
  {
    name: 'among many, without a line in check.time',
    record: saying({ ...AMONG, times: '' }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /check\.time has no line for the test$/,
  },
  {
    name: 'among many, and its exit status is 1',
    record: saying({ ...AMONG, output: `${ID}       [failed, exit status 1]\n`, times: '' }),
    verdict: 'fail',
    outcome: 'exit-status',
    reason: /exited with status 1/,
  },

  {
    name: "the machine's awk is not the one that tests are written for",
    record: saying({
      output: FAILED,
      files: 'full out.bad ',
      times: '',
      difference: '-user.x=0x79\n+awk: line 2: function asort never defined\n',
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /needs asort\(\) in awk, .*\(package gawk\)$/,
  },
  {
    name: 'SCRATCH_DEV that a test mounts as what it is not',
    fs: ['ext2', 'ext4'],
    record: (record) => ({ ...record, kernelFindings: [NO_XFS] }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'SCRATCH_DEV that is no xfs any more',
    fs: ['xfs'],
    record: (record) => ({ ...record, kernelFindings: [NO_XFS] }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /Invalid superblock magic/,
  },
  {
    name: 'TEST_DEV that a test has shut down on purpose',
    facts: { provokes: ['shutdown'] },
    record: (record) => ({ ...record, kernelFindings: SHUT_DOWN }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'TEST_DEV that shuts itself down, in a test that shuts down SCRATCH_DEV',
    facts: { provokes: ['shutdown'] },
    record: (record) => ({
      ...record,
      kernelFindings: SHUT_DOWN.map((one) =>
        one.severity === 'notice' ? { ...one, device: 'pmem1' } : one,
      ),
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /Log I\/O Error/,
  },
  {
    name: 'TEST_DEV that shuts itself down',
    record: (record) => ({ ...record, kernelFindings: SHUT_DOWN }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /Log I\/O Error/,
  },
  {
    name: 'an empty loop device whose first sector cannot be read',
    record: (record) => ({
      ...record,
      kernelFindings: [
        IO_ERROR(
          'I/O error, dev loop0, sector 0 op 0x0:(READ) flags 0x1000 phys_seg 1 prio class 2',
        ),
        IO_ERROR('blk_update_request: I/O error, dev loop0, sector 2 op 0x0:(READ) flags 0x3000'),
      ],
    }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'a loop device that loses what was written to it',
    record: (record) => ({
      ...record,
      kernelFindings: [
        IO_ERROR(
          'I/O error, dev loop0, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 8 prio class 2',
        ),
      ],
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /I\/O error, dev loop0, sector 2048/,
  },
  {
    name: 'an empty loop device that is refused',
    record: (record) => ({ ...record, kernelFindings: [UNREADABLE('loop0')] }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'SCRATCH_DEV that cannot be read',
    record: (record) => ({ ...record, kernelFindings: [UNREADABLE('pmem1')] }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /unable to read superblock/,
  },

  // What check's exit code and words do not tell.
  {
    name: 'an unknown test exits with 0',
    record: saying({
      output: `${ID} - unknown test, ignored\nRan: \nPassed all 0 tests\n`,
      times: '',
    }),
    verdict: 'invalid',
    outcome: 'unknown-test',
    reason: /xfstests has no test generic\/002/,
  },
  {
    name: 'a test whose file is gone exits with 0',
    record: saying({ output: `${ID}  - no such test?\nPassed all 0 tests\n`, times: '' }),
    verdict: 'invalid',
    outcome: 'unknown-test',
    reason: /has no test/,
  },
  {
    name: 'all tests not run exits with 0',
    record: saying({
      files: 'full notrun ',
      notrun: 'this test requires a valid $SCRATCH_LOGDEV\n',
      output: `${ID} [not run] …\nRan: ${ID}\nNot run: ${ID}\nPassed all 1 tests\n`,
    }),
    verdict: 'notrun',
    outcome: 'not-run',
    reason: /^this test requires a valid \$SCRATCH_LOGDEV$/,
  },
  {
    name: 'the option that gives a test its devices is named',
    record: saying({
      files: 'full notrun ',
      notrun: 'this test requires a valid $SCRATCH_LOGDEV\n',
      output: `${ID} [not run] …\nRan: ${ID}\nNot run: ${ID}\nPassed all 1 tests\n`,
    }),
    facts: { needs: ['log-device'] },
    verdict: 'notrun',
    outcome: 'not-run',
    reason: /^this test requires a valid \$SCRATCH_LOGDEV; run it with --log-device$/,
  },
  {
    name: 'killed by SIGTERM it exits with 0',
    record: saying({
      output: `${ID}  Interrupted!\nRan: ${ID}\nInterrupted!\nPassed all 1 tests\n`,
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /interrupted/,
  },
  {
    name: 'its time is over',
    record: saying({ status: 124, timedOut: true }),
    verdict: 'error',
    outcome: 'timed-out',
    reason: /timed out/,
  },
  {
    name: 'a broken set-up exits with 1, like a failed test',
    record: saying({
      status: 1,
      output: 'common/rc: could not mount /dev/pmem0 on /mnt/test\n',
      times: '',
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /did not run the test: common\/rc: could not mount/,
  },
  {
    name: 'check says nothing at all',
    record: saying({ output: '', times: '' }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /it printed nothing/,
  },
  {
    name: 'check never ended',
    record: (record) => replaced(record, 'xfstests', () => []),
    verdict: 'error',
    outcome: 'undecided',
    reason: /finished without running the test/,
  },
  {
    name: 'the guest gave up before check',
    record: (record) => ({
      ...record,
      events: [
        ...replaced(record, 'xfstests', () => []).events,
        { event: 'gave-up', step: 'sync-calls', message: 'no module\n', kernelLog: '' },
      ],
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /sync-calls: no module$/,
  },
  {
    name: 'it passed, but its exit code is 1',
    record: saying({ status: 1 }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /exit code is 1/,
  },
  {
    name: 'it passed, but is not in check.time',
    record: saying({ times: 'generic/0021 8\n' }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /check.time has no line/,
  },
  {
    name: 'it does not say that it passed',
    record: saying({ output: `${ID}  8s\nRan: ${ID}\n` }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /does not say "Passed all 1 tests"/,
  },
  {
    name: 'another test ran',
    record: saying({ output: PASSED.replaceAll(ID, 'generic/003') }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /did not run the test/,
  },
  {
    name: 'the output differs',
    record: saying({
      status: 1,
      files: 'full out.bad ',
      output: `${ID}  [failed, exit status 1]- output mismatch\n${FAILED}`,
      difference: '--- a\n+++ b\n@@ -1 +1,2 @@\n same\n-gone\n+come\n',
      times: '',
    }),
    verdict: 'fail',
    outcome: 'output-differs',
    reason: /output differs: \[-gone\] \[\+come\], and its exit status is 1/,
  },
  {
    name: 'the test fails with the right output',
    record: saying({ status: 1, output: `${ID} [failed, exit status 3]\n${FAILED}`, times: '' }),
    verdict: 'fail',
    outcome: 'exit-status',
    reason: /exited with status 3/,
  },
  {
    name: 'only the check of the file system fails, and leaves no .out.bad',
    record: (record) => ({
      ...saying({
        status: 1,
        output: `${ID}  _check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n${FAILED}`,
        times: '',
      })(record),
      suiteChecks: [{ event: check({ status: 12 }), report: DAMAGED }],
    }),
    verdict: 'fail',
    outcome: 'inconsistent',
    reason: /e2fsck: Directory inode 16385/,
  },
  {
    name: 'TEST_DEV was repaired, and all that check says is content',
    record: (record) => ({
      ...record,
      suiteChecks: [
        { event: check({ status: 12 }), report: DAMAGED },
        { event: check({ status: 1, readOnly: false }), report: DAMAGED },
      ],
    }),
    verdict: 'fail',
    outcome: 'inconsistent',
    reason: /directory corrupted$/,
  },
  {
    name: 'only our own check finds it',
    record: (record) => ({
      ...replaced(record, 'fsck', (event) => [{ ...event, status: 4 } as never]),
      checks: { test: DAMAGED },
    }),
    verdict: 'fail',
    outcome: 'inconsistent',
    reason: /directory corrupted/,
  },
  {
    name: 'check could not begin, for what it found',
    record: (record) => ({
      ...saying({ status: 1, output: 'check: broken\n', times: '' })(record),
      suiteChecks: [{ event: check({ phase: 'setup', status: 12 }), report: DAMAGED }],
    }),
    verdict: 'fail',
    outcome: 'inconsistent',
    reason: /directory corrupted.*; the damage is older than the test/,
  },
  {
    name: 'a check without a log',
    record: (record) => ({ ...record, suiteChecks: [{ event: check(), report: undefined }] }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /left no log/,
  },
  {
    name: 'a check that did not end',
    record: (record) => ({
      ...record,
      suiteChecks: [
        {
          event: check(),
          report: report({ completed: false, clean: false, reason: 'it is cut off' }),
        },
      ],
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /did not finish: it is cut off/,
  },
  {
    name: 'a check with an exit code and no finding',
    record: (record) => ({
      ...record,
      suiteChecks: [{ event: check({ status: 8 }), report: report() }],
    }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /exited with code 8/,
  },
  {
    name: 'the kernel warned, and check did not look (/dev/kmsg not writable)',
    record: (record) => ({ ...record, kernelFindings: [finding()] }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /kernel: WARNING/,
  },
  {
    name: 'only check found something in the kernel log',
    record: saying({
      status: 1,
      output: `${ID}  _check_dmesg: something found in dmesg (see x)\n${FAILED}`,
      times: '',
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /errors in the kernel log/,
  },
  {
    name: 'a warning that the test announces',
    record: (record) => ({
      ...saying({ dmesgFilter: 'WARNING: CPU.*dax' })(record),
      kernelFindings: [finding()],
    }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found/,
  },
  {
    name: 'a warning that the test provokes',
    facts: { provokes: ['no-dmesg-check'] },
    record: (record) => ({ ...record, kernelFindings: [finding()] }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found/,
  },
  {
    name: 'an oops is never announced',
    facts: { provokes: ['no-dmesg-check'] },
    record: (record) => ({
      ...saying({ dmesgFilter: '.' })(record),
      kernelFindings: [finding({ kind: 'oops', severity: 'corruption' })],
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /WARNING/,
  },
  {
    name: 'errors of a file system that the test shuts down',
    facts: { provokes: ['shutdown'] },
    record: (record) => ({
      ...record,
      kernelFindings: [finding({ kind: 'fs-error', severity: 'corruption', device: 'pmem1' })],
    }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found/,
  },
  {
    name: 'the same on TEST_DEV, which nobody may break',
    facts: { provokes: ['shutdown'] },
    record: (record) => ({
      ...record,
      kernelFindings: [finding({ kind: 'fs-error', severity: 'corruption', device: 'pmem0' })],
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /kernel/,
  },
  {
    name: 'the same where the test means no harm',
    record: (record) => ({
      ...record,
      kernelFindings: [finding({ kind: 'fs-error', severity: 'corruption', device: 'pmem1' })],
    }),
    verdict: 'fail',
    outcome: 'kernel-log',
    reason: /kernel/,
  },
  {
    name: 'a core file',
    record: saying({ files: 'full core ' }),
    verdict: 'fail',
    outcome: 'exit-status',
    reason: /dumped core/,
  },
  {
    name: 'no output to compare with',
    record: saying({ expectedOutput: false }),
    verdict: 'error',
    outcome: 'undecided',
    reason: /no tests\/generic\/002.out/,
  },
  {
    name: 'a guest that panics',
    record: ended({ kind: 'panic', message: 'Fatal exception' }),
    verdict: 'fail',
    outcome: 'crashed',
    reason: /panicked/,
  },
  {
    name: 'a guest that hangs',
    record: ended({ kind: 'hang', seconds: 60, step: 'test' }),
    verdict: 'fail',
    outcome: 'crashed',
    reason: /did not respond/,
  },
  {
    name: 'a unit that is not over in time',
    record: ended({ kind: 'unit-timeout', seconds: 60, step: 'test' }),
    verdict: 'error',
    outcome: 'timed-out',
    reason: /did not finish within 60 s/,
  },

  // DAX, at every mount.
  {
    name: 'a mount within the test loses DAX',
    record: mounting({ options: 'rw,relatime' }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /within the test \/dev\/pmem1 was mounted without DAX: rw,relatime/,
  },
  {
    name: 'TEST_DEV is mounted without DAX after its check',
    record: mounting({
      phase: 'check',
      device: '/dev/pmem0',
      directory: '/mnt/test',
      options: 'rw,relatime',
    }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /after the test \/dev\/pmem0 was mounted without DAX/,
  },
  {
    name: 'a device of its own without DAX',
    record: mounting({ device: '/dev/loop0', node: 'loop0', options: 'rw' }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /\/dev\/loop0 was mounted without DAX/,
  },
  {
    name: 'a failed test on lost DAX is no failure of DAX',
    record: (record, fs) =>
      mounting({ options: 'rw' })(
        saying({ status: 1, output: FAILED, files: 'out.bad ' })(record),
        fs,
      ),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /without DAX/,
  },
  {
    name: 'a test that does not apply tries what it wants',
    record: (record, fs) =>
      mounting({ options: 'rw' })(saying({ files: 'notrun ', notrun: 'no' })(record), fs),
    verdict: 'notrun',
    outcome: 'not-run',
    reason: /^no$/,
  },
  {
    name: 'dax=never because the test says so',
    record: mounting({
      options: 'rw',
      arguments: '-o dax=always -o dax=never /dev/pmem1 /mnt/scratch',
    }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /the test turned DAX off on purpose for 1 mount$/,
  },
  {
    name: 'dax=never is overridden and lost all the same',
    record: mounting({
      options: 'rw',
      arguments: '-o dax=never,dax=always /dev/pmem1 /mnt/scratch',
    }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /without DAX/,
  },
  {
    name: 'a test about DAX mounts without it',
    facts: { groups: ['auto', 'dax'] },
    record: mounting({ options: 'rw', arguments: '/dev/pmem0 /mnt/test' }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /turned DAX off on purpose/,
  },
  {
    name: 'a test about DAX asks for it and does not get it',
    facts: { groups: ['auto', 'dax'] },
    record: mounting({ options: 'rw', arguments: '-o dax /dev/pmem0 /mnt/test' }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /without DAX/,
  },
  {
    name: 'check, not the test, mounts without DAX',
    facts: { groups: ['dax'] },
    record: mounting({ phase: 'setup', options: 'rw', arguments: '/dev/pmem0 /mnt/test' }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /before the test/,
  },
  {
    name: 'another driver serves a mount',
    fs: ['ext2'],
    record: mounting({ servedByExt4: true }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /by the ext4 driver/,
  },
  {
    name: 'mounts that nobody saw',
    record: saying({ unseenMounts: 2 }),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /the kernel counted 2 mounts/,
  },
  {
    name: 'a kernel that cannot count mounts',
    record: saying({ watched: false }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found; this kernel has no kprobes/,
  },
  {
    name: 'a test that fails since DAX refuses what it mounts',
    record: (record, fs) =>
      mounting({
        status: 32,
        directory: '',
        device: '',
        options: '',
        kernelLog: '[   12.000000] EXT4-fs (pmem1): unsupported blocksize for DAX',
      })(saying({ status: 1, output: FAILED, files: 'out.bad ', times: '' })(record), fs),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason:
      /because of DAX \("EXT4-fs \(pmem1\): unsupported blocksize for DAX"\); the test's output/,
  },
  {
    name: 'a test that fails after a mount was refused for something else',
    record: (record, fs) =>
      mounting({
        status: 32,
        directory: '',
        device: '',
        options: '',
        kernelLog: '[   12.000000] EXT4-fs (pmem1): bad geometry: block count 9 exceeds 8',
      })(saying({ status: 1, output: FAILED, files: 'out.bad ', times: '' })(record), fs),
    verdict: 'fail',
    outcome: 'output-differs',
    reason: /output differs/,
  },
  ...(
    [
      ['refused before the test', { phase: 'setup', status: 32, directory: '' }],
      ['refused after the test', { phase: 'check', status: 32, directory: '' }],
      ['refused where another mount is', { status: 32 }],
      ['made, in spite of what the kernel said', {}],
      ['made and gone again', { directory: '', device: '' }],
    ] as const
  ).map(
    ([what, more]): Case => ({
      name: `a test that fails, and a mount ${what}`,
      record: (record, fs) =>
        mounting({
          ...more,
          kernelLog: '[   12.000000] EXT4-fs (pmem1): unsupported blocksize for DAX',
        })(saying({ status: 1, output: FAILED, files: 'out.bad ', times: '' })(record), fs),
      verdict: 'fail',
      outcome: 'output-differs',
      reason: /^the test's output differs/,
    }),
  ),
  {
    name: 'a test that means a mount to be refused',
    record: mounting({
      status: 32,
      directory: '',
      device: '',
      options: '',
      kernelLog: '[   12.000000] EXT4-fs (pmem1): unsupported blocksize for DAX',
    }),
    verdict: 'pass',
    outcome: 'passed',
    reason: /no problems were found$/,
  },
  {
    name: 'SCRATCH_DEV without statx',
    record: (record) =>
      replaced(record, 'proof', (event) =>
        event.event === 'proof' && event.when === 'scratch'
          ? [{ ...event, statxAttributes: 0 }]
          : [event],
      ),
    verdict: 'invalid',
    outcome: 'without-dax',
    reason: /on SCRATCH_DEV: a new file does not use DAX/,
  },
  {
    name: 'SCRATCH_DEV is used and was never looked at',
    record: (record) =>
      replaced(record, 'proof', (event) =>
        event.event === 'proof' && event.when === 'scratch' ? [] : [event],
      ),
    verdict: 'error',
    outcome: 'undecided',
    reason: /not proven on SCRATCH_DEV/,
  },
];

t.test('judges xfstests tests', (t) => {
  for (const { name, fs: some, record: spoil, facts, verdict, outcome, reason } of CASES) {
    for (const fs of some ?? (['ext2', 'ext4', 'xfs'] as const)) {
      const record = spoil ? spoil(good(fs), fs) : good(fs);
      const expected = expectation(fs, {
        xfstests: { test: ID, groups: ['auto', 'quick'], ...facts },
      });
      const judged = judge(record, expected);
      t.match(judged, { verdict, outcome, reason }, `${name}, on ${fs}: ${judged.reason}`);
    }
  }
  t.end();
});

t.test('judges the control run without DAX', (t) => {
  const record = replaced(good('ext4'), 'mount', (event) => [
    { ...event, options: 'rw,relatime' } as MountEvent,
  ]);
  const plain = replaced(record, 'proof', (event) => [
    { ...event, options: 'rw,relatime', statxAttributes: 0 } as never,
  ]);
  const expected = expectation('ext4', { control: true, xfstests: { test: ID } });
  t.match(judge(plain, expected), { verdict: 'pass', dax: { proven: false } });
  t.match(judge(mounting({})(plain, 'ext4'), expected), {
    verdict: 'invalid',
    reason: /with DAX, but this is the control/,
  });
  t.end();
});

t.test("reports one damage once, with the kernel's message", (t) => {
  const record: UnitRecord = {
    ...good('ext2'),
    suiteChecks: [
      { event: check({ phase: 'setup', status: 4 }), report: DAMAGED },
      { event: check({ status: 4 }), report: DAMAGED },
    ],
    kernelFindings: [finding()],
  };
  const { findings } = judge(record, expectation('ext2', { xfstests: { test: ID } }));
  t.same(
    findings.map(({ tool }) => tool),
    ['e2fsck', 'kernel'],
  );
  t.end();
});

t.test('counts the same message about two devices as two findings', (t) => {
  const scratch = { ...CORRUPTED, device: '/dev/pmem1' };
  const record: UnitRecord = {
    ...good('ext2'),
    suiteChecks: [
      { event: check({ status: 4 }), report: DAMAGED },
      {
        event: check({ status: 4, device: '/dev/pmem1' }),
        report: report({ clean: false, findings: [scratch] }),
      },
    ],
  };
  const { findings } = judge(record, expectation('ext2', { xfstests: { test: ID } }));
  t.same(
    findings.map(({ device }) => device),
    ['/dev/pmem0', '/dev/pmem1'],
  );
  t.end();
});

t.test('does not hide damage behind a notice with the same message', (t) => {
  const notice: Finding = { ...CORRUPTED, severity: 'notice' };
  const record: UnitRecord = {
    ...good('ext2'),
    suiteChecks: [
      { event: check({ phase: 'setup' }), report: report({ findings: [notice] }) },
      { event: check({ status: 4 }), report: DAMAGED },
    ],
  };
  const judgement = judge(record, expectation('ext2', { xfstests: { test: ID } }));
  t.match(judgement, { verdict: 'fail', reason: /directory corrupted/ });
  t.same(
    judgement.findings.map(({ severity }) => severity),
    ['corruption'],
  );
  t.end();
});

t.test('the outcome of a failure is by its gravest finding, notices aside', async (t) => {
  const outcomeOf = (...findings: Finding[]) =>
    judge(
      {
        ...good('xfs'),
        suiteChecks: [
          { event: check({ phase: 'setup' }), report: report() },
          { event: check(), report: report({ findings }) },
        ],
        kernelFindings: [finding()],
      },
      expectation('xfs', { xfstests: { test: ID } }),
    );
  t.match(outcomeOf(CORRUPTED), { verdict: 'fail', outcome: 'inconsistent' });
  t.match(outcomeOf({ ...CORRUPTED, tool: 'xfs_repair' }), { outcome: 'inconsistent' });
  const { outcome, findings } = outcomeOf({ ...CORRUPTED, severity: 'notice' });
  t.equal(outcome, 'kernel-log');
  t.equal(findings.length, 2);
});

t.test('a test has run if check lists it as run, or among many has a line for it', async (t) => {
  const judged = (more: Partial<XfstestsEvent>) =>
    judge(
      saying({ status: 1, files: 'out.bad ', times: '', difference: '--- a\n+++ b\n-1', ...more })(
        good('ext4'),
      ),
      expectation('ext4', { xfstests: { test: ID } }),
    );
  const differs = { verdict: 'fail', outcome: 'output-differs' };
  const output = `${ID}\nFailures: ${ID}\n`;
  t.match(judged({ output: `${output}Ran: ${ID}\n` }), differs);
  t.match(judged({ output: `${output}Ran: ${ID}0\n` }), {
    verdict: 'error',
    reason: `xfstests' check did not run the test: Ran: ${ID}0`,
  });
  t.match(judged({ output: `${output}\n \n` }), {
    verdict: 'error',
    reason: `xfstests' check did not run the test: Failures: ${ID}`,
  });
  t.match(judged({ output: `${ID}\n`, together: true }), differs);
  t.match(judged({ output: `${ID} 4s ... - output mismatch\n`, together: true }), differs);
  t.match(judged({ output: `${ID}0\n`, together: true }), { verdict: 'error' });
});

t.test('quotes three lines of a difference, each up to 200 characters', async (t) => {
  const reasonFor = (count: number, exit = '') => {
    const changed = Array.from({ length: count }, (_, n) => `+${n}${'x'.repeat(300)}`);
    const difference = ['--- expected', '+++ actual', '@@ -1 +1 @@', ' same', ...changed].join(
      '\n',
    );
    const output = `${ID} ${exit}\nRan: ${ID}\n`;
    const record = saying({ status: 1, output, files: 'out.bad ', times: '', difference });
    return judge(record(good('ext4')), expectation('ext4', { xfstests: { test: ID } })).reason;
  };
  const line = (n: number) => `[+${n}${'x'.repeat(198)}]`;
  const all = `the test's output differs: ${line(0)} ${line(1)} ${line(2)}`;
  t.equal(reasonFor(3), all);
  t.equal(reasonFor(5), `${all} and 2 more lines`);
  t.equal(reasonFor(3, '[failed, exit status 7]'), `${all}, and its exit status is 7`);
});

t.test('says why the guest ran no test of xfstests', async (t) => {
  const { reason } = judge(
    replaced(good('ext4'), 'xfstests', () => [
      testEvent({ status: 127, reason: 'the guest has no xfstests tree' }),
      { event: 'gave-up', step: 'test', message: 'later', kernelLog: '' },
    ]),
    expectation('ext4', { xfstests: { test: ID } }),
  );
  t.equal(reason, 'the guest has no xfstests tree');
});

t.test("a repair's findings count only where no check came before it", async (t) => {
  const named = (message: string, more: Partial<Finding> = {}) => ({
    ...CORRUPTED,
    message,
    ...more,
  });
  const found = (...messages: string[]) =>
    report({ clean: messages.length === 0, findings: messages.map((one) => named(one)) });
  const repair = (device = '/dev/pmem0') => check({ device, readOnly: false, status: 1 });
  const messagesOf = (...suiteChecks: NonNullable<UnitRecord['suiteChecks']>) =>
    judge(
      { ...good('ext4'), suiteChecks },
      expectation('ext4', { xfstests: { test: ID } }),
    ).findings.map(({ message }) => message);
  const checked = { event: check({ status: 4 }), report: found('a') };
  const clean = { event: check(), report: found() };
  t.strictSame(messagesOf(checked, { event: repair(), report: found('b') }), ['a']);
  t.strictSame(messagesOf(clean, { event: repair(), report: found('b') }), ['b']);
  t.strictSame(messagesOf({ event: repair(), report: found('b') }), ['b']);
  t.strictSame(messagesOf(checked, { event: repair('/dev/pmem1'), report: found('b') }), [
    'a',
    'b',
  ]);
  t.strictSame(messagesOf(checked, { event: check({ status: 4 }), report: found('b') }), [
    'a',
    'b',
  ]);
});

t.test('of the same message as a notice and as damage, the damage stays', async (t) => {
  const notice = { ...CORRUPTED, severity: 'notice' as const };
  for (const findings of [
    [notice, CORRUPTED],
    [CORRUPTED, notice],
  ]) {
    const [first, second] = findings.map((one) => report({ findings: [one] }));
    const suiteChecks = [
      { event: check(), report: first },
      { event: check(), report: second },
    ];
    const judgement = judge(
      { ...good('ext4'), suiteChecks },
      expectation('ext4', { xfstests: { test: ID } }),
    );
    t.equal(judgement.verdict, 'fail');
    t.strictSame(judgement.findings, [CORRUPTED]);
  }
});

t.test(
  'damage is older than the test if a check before it found damage, not a notice',
  async (t) => {
    const notice = { ...CORRUPTED, message: 'could be shorter', severity: 'notice' as const };
    const reasonAfter = (...findings: Finding[]) => {
      const setup = report({ clean: false, findings });
      const suiteChecks = [
        { event: check({ phase: 'setup', status: 4 }), report: setup },
        { event: check({ status: 4 }), report: DAMAGED },
      ];
      const expected = expectation('ext4', { xfstests: { test: ID } });
      return judge({ ...good('ext4'), suiteChecks }, expected).reason;
    };
    t.match(reasonAfter(notice, CORRUPTED), /the damage is older than the test/);
    t.match(reasonAfter(notice), /directory corrupted$/);
  },
);

t.test("other tests' lines say nothing about this one", async (t) => {
  const judged = (output: string) =>
    judge(
      saying({ together: true, output, times: `${ID} 8\n` })(good('ext4')),
      expectation('ext4', { xfstests: { test: ID } }),
    );
  t.match(judged(`${ID}  8s\nRan: generic/001 ${ID}\nFailures: generic/001\n`), {
    verdict: 'pass',
  });
  t.match(judged(`generic/001  5s\n${ID} \n`), {
    verdict: 'error',
    reason: /its line for the test does not end with a duration/,
  });
  t.match(judged(`${ID} 4s ...  5s\n`), { verdict: 'pass' });
});
