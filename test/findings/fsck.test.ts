import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { recorded } from './rig.js';

t.test('the program that wrote the log', async (t) => {
  t.equal(parseFsck(recorded('e2fsck-clean.log'))?.tool, 'e2fsck');
  t.equal(parseFsck(recorded('xfs-repair-clean.log'))?.tool, 'xfs_repair');
  t.equal(parseFsck(recorded('e2fsck-sb.log'))?.tool, 'e2fsck');
  for (const text of ['', '\n', 'hello\n', '# A file\nPass the salt\n', '\0\x01\x02']) {
    t.equal(parseFsck(text), undefined);
  }
});

t.test("both programs in one log: the second's lines are not lost", async (t) => {
  const report = parseFsck(recorded('e2fsck-clean.log') + recorded('xfs-repair-entry.log'));
  t.equal(report?.clean, false);
});

t.test('the check in a .full file of xfstests', async (t) => {
  const full = (log: string) =>
    `_check_generic_filesystem: filesystem on /dev/pmem0 is inconsistent\n*** fsck.ext2 output ***\nfsck from util-linux 2.38.1\n${log}*** end fsck.ext2 output\n*** mount output ***\nsome mounts\n*** end mount output\n`;
  t.match(parseFsck(full(recorded('e2fsck-counts.log'))), {
    completed: true,
    findings: { length: 4 },
    unparsed: [],
  });
});
