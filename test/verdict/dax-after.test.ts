import t from 'tap';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, goodRecord, proof, replaced } from './records.js';
import { CORRUPTED } from './xfstests-records.js';

/* What a look at DAX proves that is not like the others. */

const EXT4 = expectation('ext4');

const after =
  (...events: GuestEvent[]) =>
  (record: UnitRecord) =>
    replaced(record, 'proof', (event) =>
      event.event === 'proof' && event.when === 'after' ? events : [event],
    );
const damaged = (record: UnitRecord): UnitRecord => ({
  ...record,
  checks: { test: { ...record.checks.test, clean: false, findings: [CORRUPTED] } as never },
});

/** On a damaged file system no file can be made, so statx has none to look at. */
const SILENT = proof('ext4', 'after', { statxAttributes: undefined, statxMask: undefined });
const SILENT_WITHOUT_DAX = { ...SILENT, options: 'rw,relatime' };
const UNMOUNTED = proof('ext4', 'after', { mounted: false });

t.test('damage may leave no file to look at after the test', async (t) => {
  t.match(judge(damaged(after(SILENT)(goodRecord('ext4'))), EXT4), {
    verdict: 'fail',
    reason: /directory corrupted$/,
  });
  t.match(judge(after(SILENT)(goodRecord('ext4')), EXT4), { verdict: 'invalid' }, 'no damage');
  t.match(
    judge(damaged(after(SILENT_WITHOUT_DAX)(goodRecord('ext4'))), EXT4),
    { verdict: 'invalid', reason: /not among the mount options/ },
    'it does not turn DAX off',
  );
  t.match(judge(damaged(after(UNMOUNTED)(goodRecord('ext4'))), EXT4), { verdict: 'fail' });
});

t.test('the last look after the test decides', async (t) => {
  const good = proof('ext4', 'after');
  t.match(judge(after(UNMOUNTED, good)(goodRecord('ext4')), EXT4), { verdict: 'pass' });
  t.match(judge(after(good, UNMOUNTED)(goodRecord('ext4')), EXT4), { verdict: 'invalid' });
});

t.test('a module that was sent has to be loaded, however early the guest ended', async (t) => {
  const record = {
    ...goodRecord('ext2'),
    ending: { kind: 'panic', message: 'Fatal exception' } as const,
    checks: {},
    events: [proof('ext2', 'before')],
  };
  t.match(judge(record, expectation('ext2')), { verdict: 'invalid', reason: /did not load/ });
});

t.test('a module without users serves no mount, whatever it had before', async (t) => {
  const record = replaced(goodRecord('ext2'), 'proof', (event) => [
    { ...event, moduleReferences: 0, moduleReferencesUnmounted: undefined } as GuestEvent,
  ]);
  t.match(judge(record, expectation('ext2')), { verdict: 'invalid', reason: /no evidence/ });
});

t.test(
  "why a mount was refused: the kernel's last word about DAX since then, or its last",
  async (t) => {
    const reasonFor = (...lines: string[]) => {
      const kernelLog = lines.map((line, at) => `<4>[    ${at}.000000] ${line}`).join('\n');
      const refused: GuestEvent = { event: 'mount-failed', message: 'mount: bad', kernelLog };
      return judge({ ...goodRecord('ext4'), events: [refused] }, EXT4).reason;
    };
    const mounting = 'daxrepro: mount';
    const old = 'EXT4-fs (pmem0): DAX unsupported by block device.';
    const dax = "EXT4-fs (pmem0): can't mount with both data=journal and dax";
    const other = 'EXT4-fs (pmem0): mount failed';
    const said = (text: string) => `ext4 was not mounted: "${text}"`;
    t.equal(reasonFor(old, mounting, dax, other), said(dax));
    t.equal(reasonFor(mounting, old, dax), said(dax));
    t.equal(reasonFor(old, mounting, 'EXT4-fs (pmem0): first', other, ''), said(other));
    t.equal(reasonFor(old, mounting), 'ext4 was not mounted: mount: bad');
  },
);

t.test('findings of a QEMU that died are not the reason', async (t) => {
  const died = { kind: 'qemu-died', exitCode: 1, signal: null, message: '' } as const;
  const record = { ...damaged(goodRecord('ext4')), ending: died };
  t.match(judge(record, EXT4), { verdict: 'error', reason: 'QEMU exited with code 1' });
});
