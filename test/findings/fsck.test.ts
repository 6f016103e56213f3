import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { recorded } from './rig.js';

t.test('recognises the program that wrote the log', async (t) => {
  t.equal(parseFsck(recorded('e2fsck-clean.log'))?.tool, 'e2fsck');
  t.equal(parseFsck(recorded('xfs-repair-clean.log'))?.tool, 'xfs_repair');
  t.equal(parseFsck(recorded('e2fsck-sb.log'))?.tool, 'e2fsck');
  for (const text of ['', '\n', 'hello\n', '# A file\nPass the salt\n', '\0\x01\x02']) {
    t.equal(parseFsck(text), undefined);
  }
});

t.test('reads both programs in one log, without losing lines of the second', async (t) => {
  const report = parseFsck(recorded('e2fsck-clean.log') + recorded('xfs-repair-entry.log'));
  t.equal(report?.clean, false);
});

t.test('reads the check in a .full file of xfstests', async (t) => {
  const full = (log: string) =>
    `_check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n*** fsck.ext2 output ***\nfsck from util-linux 2.38.1\n${log}*** end fsck.ext2 output\n*** mount output ***\nsome mounts\n*** end mount output\n`;
  t.match(parseFsck(full(recorded('e2fsck-counts.log'))), {
    completed: true,
    findings: { length: 4 },
    unparsed: { length: 0 },
  });
});

t.test('merges two checks of the same damage in one log', async (t) => {
  const log = (answer: string) =>
    [
      'e2fsck 1.47.0 (5-Feb-2023)',
      'Pass 1: Checking inodes, blocks, and sizes',
      'Pass 2: Checking directory structure',
      'Pass 3: Checking directory connectivity',
      'Pass 4: Checking reference counts',
      `Inode 12 ref count is 9, should be 2.  Fix? ${answer}`,
      '',
      'Pass 5: Checking group summary information',
      '/dev/pmem0: 12/16384 files (0.0% non-contiguous), 5197/65536 blocks',
      '',
    ].join('\n');
  const repaired = [{ message: 'Inode 12 ref count is 9, should be 2.', fix: 'made' }];
  // One after the other, and as xfstests has them: a check, then the repair.
  const section = (text: string) =>
    `_check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n*** fsck.ext4 output ***\n${text}*** end fsck.ext4 output\n`;
  for (const text of [log('no') + log('yes'), section(log('no')) + section(log('yes'))]) {
    const report = parseFsck(text);
    t.match(report, { completed: true, clean: false, findings: repaired });
    t.equal(report?.findings.length, 1);
  }
  // Within one check the same words twice are two findings.
  const twice = log('no').replace(/(Inode 12 .*\n\n)/, '$1$1');
  t.equal(parseFsck(twice)?.findings.length, 2);
  // xfs_repair reports an entry in phase 4 and again in phase 6.
  const entries = parseFsck(recorded('xfs-repair-entry.log'))?.findings.filter(
    ({ entry }) => entry === 'f',
  );
  t.equal(new Set(entries?.map(({ message }) => message)).size, entries?.length);
});
