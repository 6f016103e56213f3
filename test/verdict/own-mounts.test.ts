import t from 'tap';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, goodRecord, proof, replaced, testEvent } from './records.js';
import { mount } from './xfstests-records.js';

/* Mounts that a test or a session makes by itself, and what a built-in test needs none of. */

const USERS = expectation('ext4', { userTest: true });
const BUILTIN = expectation('ext4');
const STEP = (name: string): GuestEvent => ({ event: 'step', name });
const SESSION = STEP('session');

const before =
  (...events: GuestEvent[]) =>
  (record: UnitRecord) =>
    replaced(record, 'test', (event) => [...events, event]);
const failing = (record: UnitRecord) =>
  replaced(record, 'test', () => [testEvent({ status: 1, failures: 'it differs' })]);

const WITHOUT_DAX = mount('ext4', { options: 'rw,relatime', arguments: '/dev/pmem1 /mnt' });
const REFUSED = mount('ext4', {
  status: 32,
  directory: '',
  kernelLog: '[   12.000000] EXT4-fs (pmem1): unsupported blocksize for DAX',
});

t.test("a user's test has every mount within it looked at", async (t) => {
  const record = before(WITHOUT_DAX)(goodRecord('ext4'));
  t.match(judge(record, USERS), { verdict: 'invalid', reason: /mounted without DAX/ });
  t.match(judge(record, BUILTIN), { verdict: 'pass' }, 'a built-in test means what it does');
  const absent = replaced(record, 'test', () => [testEvent({ status: 77, notrun: 'no disk' })]);
  t.match(judge(absent, USERS), { verdict: 'notrun', reason: 'no disk' });
});

t.test(
  'a mount refused because of DAX excuses a failure of a test with mounts of its own',
  async (t) => {
    const record = before(REFUSED)(failing(goodRecord('ext4')));
    t.match(judge(record, USERS), { verdict: 'invalid', reason: /because of DAX .*it differs$/ });
    t.equal(judge(record, USERS).outcome, undefined, 'outcomes are for xfstests');
    t.match(judge(record, BUILTIN), { verdict: 'fail', reason: 'it differs' });
  },
);

t.test('a mount on a mapping that begins in the middle of a page proves nothing', async (t) => {
  const misaligned = 'dm-0: 0 8192 linear 259:1 1';
  const off = mount('ext4', { node: 'dm-0', device: '/dev/mapper/off', misaligned });
  t.match(judge(before(off)(failing(goodRecord('ext4'))), USERS), {
    verdict: 'invalid',
    reason:
      /\/dev\/mapper\/off was mounted through device mapper in the middle of a page, .*: dm-0: 0 8192 linear 259:1 1/,
  });
  const without = {
    ...off,
    options: 'rw,dax=never',
    arguments: '-o dax=never /dev/mapper/off /mnt',
  };
  t.match(judge(before(without)(goodRecord('ext4')), USERS), { verdict: 'pass' }, 'without DAX');
});

t.test("mounts that a user's test makes past mount(8) are counted", async (t) => {
  const counted = (watched: boolean, unseenMounts: number) =>
    judge(before({ event: 'mounts', watched, unseenMounts })(goodRecord('ext4')), USERS);
  t.match(counted(true, 0), { verdict: 'pass', reason: /no problems were found$/ });
  t.match(counted(true, 2), { verdict: 'invalid', reason: /the kernel counted 2 mounts of ext4/ });
  t.match(counted(false, 0), { verdict: 'pass', reason: /; this kernel has no kprobes/ });
  t.match(judge(goodRecord('ext4'), USERS), { verdict: 'pass', reason: /no problems were found$/ });
});

t.test("a user's test may turn DAX off if its command says so", async (t) => {
  const judged = (given: string, expected = USERS) =>
    judge(before({ ...WITHOUT_DAX, arguments: given })(goodRecord('ext4')), expected);
  for (const option of ['dax=never', 'dax=inode']) {
    t.match(judged(`-o ${option} /dev/pmem1 /mnt`), {
      verdict: 'pass',
      reason: /; the test turned DAX off on purpose for 1 mount$/,
    });
    t.match(judged(`-o ${option},dax=always /dev/pmem1 /mnt`), { verdict: 'invalid' }, 'the last');
  }
  for (const given of ['-o dax=always /dev/pmem1 /mnt', '-o dax /dev/pmem1 /mnt']) {
    t.match(judged(given), { verdict: 'invalid' }, given);
  }
  t.match(judged('/dev/pmem1 /mnt', BUILTIN), { reason: /no problems were found$/ });
  const plain = replaced(goodRecord('ext4'), 'proof', (event) => [
    { ...event, options: 'rw,relatime', statxAttributes: 0 } as GuestEvent,
  ]);
  t.match(judge(before(WITHOUT_DAX)(plain), { ...USERS, control: true }), {
    verdict: 'pass',
    reason: /no problems were found$/,
  });
});

t.test("a user's test may shut the guest down", async (t) => {
  const off = { kind: 'guest-shutdown', step: 'test' } as const;
  const record = { ...goodRecord('ext4'), ending: off };
  t.match(judge(record, USERS), { verdict: 'error', reason: /may have done that itself$/ });
  t.match(judge(record, BUILTIN), { verdict: 'fail', reason: /^the guest shut down/ });
  const panic = { ...record, ending: { kind: 'panic', message: 'Fatal exception' } as const };
  t.match(judge(panic, USERS), { verdict: 'fail', reason: /panicked/ });
});

t.test('a session owns SCRATCH_DEV from its first step on', async (t) => {
  const scratch = proof('ext4', 'scratch');
  const verdictOf = (...events: GuestEvent[]) =>
    judge(before(...events)(goodRecord('ext4')), expectation('ext4', { session: 'file-system' }))
      .verdict;
  t.equal(verdictOf(STEP('scratch'), scratch, SESSION), 'error', 'it was not checked');
  t.equal(verdictOf(STEP('scratch'), SESSION, scratch), 'pass');
  t.equal(verdictOf(SESSION, STEP('prove'), scratch), 'pass');
  const record = goodRecord('ext4');
  const last = { ...record, events: [...record.events, scratch] };
  t.match(judge(last, BUILTIN), { verdict: 'error', reason: /^SCRATCH_DEV was not checked/ });
});

t.test('a session with an image tests nothing', async (t) => {
  const record = { ...goodRecord('ext4'), events: [SESSION, { event: 'finished' } as const] };
  const image = expectation('ext4', { session: 'image', module: undefined });
  t.match(judge(record, image), { verdict: 'notrun', reason: /opened an image and ran no test/ });
  const files = expectation('ext4', { session: 'file-system', module: undefined });
  t.match(judge(record, files), { verdict: 'error', reason: /without mounting anything/ });
});
