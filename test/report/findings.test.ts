import t from 'tap';
import type { CutFacts, Finding } from '../../cli/findings/finding.js';
import {
  describeEvidence,
  describeFirst,
  describeOthers,
  describeRest,
  describeShared,
  groupFindings,
} from '../../cli/report/findings.js';

const finding = (signature: string, rest: Partial<Finding> = {}): Finding => ({
  tool: 'e2fsck',
  message: signature,
  signature,
  severity: 'corruption',
  ...rest,
});

t.test('groups findings by kind, the worst first', async (t) => {
  const groups = groupFindings([
    finding('count', { severity: 'repairable' }),
    finding('note', { severity: 'notice' }),
    finding('block', { inode: 12, message: 'the first' }),
    finding('block', { inode: 13 }),
    finding('block', { inode: 12 }),
    finding('size', { inode: 12 }),
  ]);
  t.strictSame(
    groups.map(({ signature, count, inodes }) => [signature, count, inodes]),
    [
      ['block', 3, [12, 13]],
      ['size', 1, [12]],
      ['count', 1, []],
      ['note', 1, []],
    ],
  );
  t.equal(groups[0]?.finding.message, 'the first');
  t.strictSame(groups.map(describeOthers), [
    'and 2 more like it; inodes 12 and 13 in total',
    undefined,
    undefined,
    undefined,
  ]);
  t.equal(describeRest(groups.slice(1)), 'and 3 more findings of 3 other kinds');
});

t.test('lists only some of many inodes', async (t) => {
  const [group] = groupFindings(
    Array.from({ length: 9 }, (_, n) => finding('block', { inode: n + 12 })),
  );
  t.equal(
    group && describeOthers(group),
    'and 8 more like it; inodes 12, 13, 14, 15, 16 and 4 others in total',
  );
});

t.test('describes inodes that several kinds share', async (t) => {
  t.strictSame(describeShared(groupFindings([finding('a', { inode: 1 }), finding('b')])), []);
  t.strictSame(
    describeShared(
      groupFindings([
        finding('a', { inode: 12, inodeType: 'directory' }),
        finding('b', { inode: 12, path: '/d\x1b' }),
        finding('c', { inode: 12 }),
        finding('a', { inode: 13 }),
        finding('b', { inode: 13 }),
        ...[1, 2, 3].flatMap((inode) => [finding('a', { inode }), finding('b', { inode })]),
      ]),
    ),
    [
      'inode 12 (directory /d\\x1b) appears in 3 of these kinds',
      'inode 13 appears in 2 of these kinds',
      'inode 1 appears in 2 of these kinds',
      'and 2 more inodes in several kinds',
    ],
  );
});

t.test('describes the place of a finding', async (t) => {
  t.equal(
    describeFirst(finding('m', { device: '/dev/pmem0', pass: 2 })),
    'e2fsck /dev/pmem0 pass 2 (corruption): m',
  );
  t.equal(
    describeFirst(finding('m', { tool: 'xfs_repair', pass: 3 })),
    'xfs_repair phase 3 (corruption): m',
  );
  const list = `Block bitmap differences: ${' -12'.repeat(400)}`;
  t.equal(
    describeFirst(finding('s', { message: list })),
    `e2fsck (corruption): ${list.slice(0, 299)}…`,
    'a list is cut',
  );
});

t.test(
  'says who stored and wrote back data that a power cut lost, and which image shows it',
  async (t) => {
    const code = { address: '0x401a38', cpu: 0, in: 'promises\x1b', function: 'store_bytes' };
    const powerCut = { promise: 'msync', cut: 3, state: 'nothing', images: 1, storedBy: code };
    const told = (more: Partial<CutFacts>) =>
      groupFindings([finding('a', { powerCut: { ...powerCut, ...more } })]).flatMap(
        describeEvidence,
      );
    t.strictSame(told({ writtenBackBy: null }), [
      'stored by store_bytes in promises\\x1b (0x401a38, CPU 0); it was never written back',
      'in 1 image, first at cut 3, where none of the unflushed data survived',
    ]);
    const kernel = { address: '0xffffffff81000000', cpu: 1, in: 'kernel' };
    t.match(told({ writtenBackBy: kernel, images: 2, state: 'random-1' }), [
      /; last written back by an unnamed function in the kernel \(0xffffffff81000000, CPU 1\)$/,
      /^in 2 images, first at cut 3, where some of the unflushed data survived$/,
    ]);
    t.strictSame(told({ storedBy: undefined, state: 'everything' }), [
      'in 1 image, first at cut 3, where all of the unflushed data survived',
    ]);
  },
);

t.test('marks a finding that the test provoked', async (t) => {
  const provoked = finding('memory', { severity: 'notice', provoked: 'it poisons pages' });
  t.equal(
    describeFirst(provoked),
    'e2fsck (notice, provoked by the test: it poisons pages): memory',
  );
});
