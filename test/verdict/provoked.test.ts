import t from 'tap';
import type { Finding } from '../../cli/findings/finding.js';
import { scanKernelLog } from '../../cli/findings/kernel-log.js';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import { judge } from '../../cli/verdict/judge.js';
import { expectation, type Fs, finding, RELEASE, replaced } from './records.js';
import { goodXfstests, ID, said } from './xfstests-records.js';

// Lines as kernels 5.10 to 7.2 print them; pmem0 is TEST_DEV.

interface Provoked {
  fs?: Fs;
  provokes: string[];
  /** All are excused, each as a notice. */
  excused: string[];
  /** Each is a failure. */
  found: string[];
  dmesgFilter?: string;
}

const XFS_SHUT_DOWN = (device: string) => [
  `XFS (${device}): User initiated shutdown received.`,
  `XFS (${device}): Log I/O Error (0x6) detected at xfs_fs_goingdown+0x5a/0xb0 [xfs] (fs/xfs/xfs_fsops.c:495).  Shutting down filesystem.`,
  `XFS (${device}): Please unmount the filesystem and rectify the problem(s)`,
];
const EXT4_SHUT_DOWN = (device: string) => [
  `EXT4-fs (${device}): shut down requested (2)`,
  `Aborting journal on device ${device}-8.`,
  `EXT4-fs error (device ${device}): ext4_journal_check_start:83: comm fsstress: Detected aborted journal`,
  `EXT4-fs (${device}): Remounting filesystem read-only`,
];
const KASAN = 'BUG: KASAN: slab-use-after-free in dax_writeback_one+0x10/0x20';
const OOPS = 'BUG: kernel NULL pointer dereference, address: 0000000000000010';
const WARNING = 'WARNING: CPU: 0 PID: 1 at fs/dax.c:1 dax_insert_entry+0x1/0x2';

const CASES: Record<string, Provoked> = {
  'memory poisoned on purpose': {
    fs: 'xfs',
    provokes: ['memory-failure'],
    excused: [
      'Memory failure: 0x11a200: Sending SIGBUS to t_mmap_cow_memo:1234 due to hardware memory corruption',
      'Memory failure: 0x11a200: recovery action for dax page: Recovered',
      'Memory failure: 0x11a200: Killing t_mmap_cow_memo:1234 due to hardware memory corruption',
    ],
    found: [
      'Memory failure: 0x11a200: recovery action for dax page: Failed',
      'Memory failure: 0x11a200: recovery action for dax page: Ignored',
      'mce: [Hardware Error]: Machine check events logged',
      'XFS (pmem1): Metadata corruption detected at xfs_agf_verify+0x1/0x2 [xfs], xfs_agf block 0x1',
      OOPS,
    ],
  },
  'memory that fails by itself': {
    fs: 'xfs',
    provokes: ['shutdown', 'corruption', 'error-injection', 'io-errors', 'no-dmesg-check'],
    excused: [],
    found: [
      'Memory failure: 0x11a200: Sending SIGBUS to fsx:1234 due to hardware memory corruption',
      'Memory failure: 0x11a200: recovery action for dax page: Recovered',
    ],
  },
  'SCRATCH_DEV shut down on XFS': {
    fs: 'xfs',
    provokes: ['shutdown'],
    excused: XFS_SHUT_DOWN('pmem1'),
    found: [
      'XFS (pmem1): Metadata corruption detected at xfs_agf_verify+0x1/0x2 [xfs], xfs_agf block 0x1',
      'XFS (pmem1): Internal error xfs_trans_cancel at line 1 of file fs/xfs/xfs_trans.c.  Caller xfs_create+0x1/0x2 [xfs]',
      'XFS (pmem0): Log I/O Error (0x2) detected at xlog_ioend_work+0x1/0x2 [xfs].  Shutting down filesystem.',
      KASAN,
      WARNING,
    ],
  },
  'SCRATCH_DEV shut down on ext4': {
    fs: 'ext4',
    provokes: ['shutdown'],
    excused: EXT4_SHUT_DOWN('pmem1'),
    found: [
      'EXT4-fs error (device pmem1): ext4_mb_generate_buddy:1100: group 0, block bitmap and bg descriptor inconsistent: 1 vs 2 free clusters',
      'EXT4-fs error (device pmem1): ext4_iget:4800: inode #12: comm ls: checksum invalid',
      'Aborting journal on device pmem0-8.',
    ],
  },
  'TEST_DEV shut down on purpose': {
    fs: 'ext4',
    provokes: ['shutdown'],
    excused: EXT4_SHUT_DOWN('pmem0'),
    found: [],
  },
  'I/O errors': {
    fs: 'xfs',
    provokes: ['io-errors'],
    excused: [
      'Buffer I/O error on dev dm-0, logical block 64, lost async page write',
      'XFS (dm-0): metadata I/O error in "xfs_buf_ioend+0x1/0x2 [xfs]" at daddr 0x10 len 8 error 5',
      'XFS (dm-0): Internal error xfs_trans_cancel at line 1 of file fs/xfs/xfs_trans.c.  Caller xfs_create+0x1/0x2 [xfs]',
    ],
    found: [
      'XFS (dm-0): Metadata CRC error detected at xfs_agf_read_verify+0x1/0x2 [xfs], xfs_agf block 0x1',
      'XFS (pmem0): metadata I/O error in "xfs_buf_ioend+0x1/0x2 [xfs]" at daddr 0x10 len 8 error 5',
      OOPS,
    ],
  },
  'errors injected into XFS on SCRATCH_DEV': {
    fs: 'xfs',
    provokes: ['error-injection'],
    excused: [
      'XFS (pmem1): Injecting error (false) at file fs/xfs/libxfs/xfs_bmap.c, line 1, on filesystem "pmem1"',
      'XFS (pmem1): Corruption of in-memory data (0x8) detected at xfs_defer_finish_noroll+0x1/0x2 [xfs] (fs/xfs/libxfs/xfs_defer.c:1).  Shutting down filesystem.',
    ],
    found: [
      'XFS (pmem0): Corruption of in-memory data (0x8) detected at xfs_defer_finish_noroll+0x1/0x2 [xfs] (fs/xfs/libxfs/xfs_defer.c:1).  Shutting down filesystem.',
      WARNING,
    ],
  },
  'errors injected into XFS on TEST_DEV': {
    fs: 'xfs',
    provokes: ['error-injection'],
    excused: [
      'XFS (pmem0): Injecting error (false) at file fs/xfs/xfs_inode.c, line 1, on filesystem "pmem0"',
      'XFS (pmem0): Corruption of in-memory data (0x8) detected at xfs_defer_finish_noroll+0x1/0x2 [xfs] (fs/xfs/libxfs/xfs_defer.c:1).  Shutting down filesystem.',
    ],
    found: [],
  },
  'deliberate corruption': {
    fs: 'ext4',
    provokes: ['corruption'],
    excused: [
      'EXT4-fs error (device pmem1): ext4_mb_generate_buddy:1100: group 0, block bitmap and bg descriptor inconsistent: 1 vs 2 free clusters',
      'EXT4-fs error (device loop0): ext4_iget:4800: inode #12: comm ls: checksum invalid',
    ],
    found: [
      'EXT4-fs error (device pmem0): ext4_iget:4800: inode #12: comm ls: checksum invalid',
      'kernel BUG at fs/ext4/inode.c:100!',
      WARNING,
      KASAN,
    ],
  },
  'a test without the check of the kernel log': {
    fs: 'xfs',
    provokes: ['no-dmesg-check'],
    excused: [WARNING],
    found: [
      'XFS (pmem1): Metadata corruption detected at xfs_agf_verify+0x1/0x2 [xfs], xfs_agf block 0x1',
      'WARNING: possible circular locking dependency detected',
      KASAN,
      OOPS,
    ],
  },
  'assertions of XFS': {
    fs: 'xfs',
    provokes: ['asserts'],
    excused: ['WARNING: CPU: 1 PID: 2 at fs/xfs/xfs_message.c:104 asswarn+0x22/0x30 [xfs]'],
    found: [WARNING],
  },
  'direct I/O mixed with mmap': {
    provokes: ['mixed-direct-io'],
    excused: ['WARNING: CPU: 1 PID: 2 at fs/iomap/direct-io.c:398 iomap_dio_actor+0x1/0x2'],
    found: [WARNING],
  },
  'a message that the test announces': {
    fs: 'xfs',
    provokes: [],
    dmesgFilter: 'Internal error\nWARNING.*dax_insert_entry',
    excused: [
      'XFS (pmem1): Internal error xfs_trans_cancel at line 1 of file fs/xfs/xfs_trans.c.  Caller xfs_create+0x1/0x2 [xfs]',
      WARNING,
    ],
    found: [
      'XFS (pmem0): Internal error xfs_trans_cancel at line 1 of file fs/xfs/xfs_trans.c.  Caller xfs_create+0x1/0x2 [xfs]',
      'WARNING: CPU: 1 PID: 2 at fs/iomap/direct-io.c:398 iomap_dio_actor+0x1/0x2',
      OOPS,
    ],
  },
  'a report of lockdep that the test announces, with a pattern that is no regular expression': {
    provokes: [],
    dmesgFilter: '*** lock ***\npossible recursive [locking',
    excused: ['WARNING: possible recursive [locking detected'],
    found: ['WARNING: possible recursive locking detected', WARNING],
  },
  'nothing provoked': {
    fs: 'xfs',
    provokes: [],
    excused: [],
    found: [
      'XFS (pmem1): Metadata corruption detected at xfs_agf_verify+0x1/0x2 [xfs], xfs_agf block 0x1',
      'Buffer I/O error on dev dm-0, logical block 64, lost async page write',
      'EXT4-fs error (device pmem1): ext4_iget:4800: inode #12: comm ls: checksum invalid',
      'Aborting journal on device pmem1-8.',
      WARNING,
    ],
  },
};

function judged({ fs = 'ext4', provokes, dmesgFilter = '' }: Provoked, lines: string[]) {
  const log = lines.map((line, index) => `[   ${10 + index}.000000] ${line}\n`).join('');
  const kernelFindings = scanKernelLog(log);
  const record = {
    ...replaced(goodXfstests(fs), 'xfstests', () => [said({ dmesgFilter })]),
    kernelFindings,
  };
  const xfstests = { test: ID, groups: ['auto', 'shutdown', 'eio', 'scrub'], provokes };
  return { kernelFindings, ...judge(record, expectation(fs, { xfstests })) };
}

for (const [name, one] of Object.entries(CASES)) {
  t.test(name, async (t) => {
    const { verdict, findings, kernelFindings, reason } = judged(one, one.excused);
    t.equal(verdict, 'pass', reason);
    t.equal(findings.length, kernelFindings.length, 'what is excused stays visible');
    for (const [index, { severity, provoked }] of findings.entries()) {
      t.equal(severity, 'notice');
      if (kernelFindings[index]?.severity !== 'notice') t.type(provoked, 'string');
    }
    for (const line of one.found) {
      const alone = judged(one, [line]);
      t.ok(alone.kernelFindings.length > 0, `the parser finds ${line}`);
      t.equal(alone.verdict, 'fail', line);
      t.notOk(
        alone.findings.some(({ provoked }) => provoked),
        line,
      );
      t.equal(judged(one, [...one.excused, line]).verdict, 'fail', `among others: ${line}`);
    }
  });
}

const QUIET = { provokes: [] };

/** The guest says which device it is that the test uses, a clone more than once. */
function judgedOn(testDevice: string, kernelFindings: Finding[]) {
  const record = replaced(goodXfstests('xfs'), 'xfstests', () => [
    said({ dmesgFilter: 'Internal error' }),
  ]);
  const begin = { event: 'begin', release: RELEASE, bootId: 'y', testDevice } as const;
  const events = testDevice === '' ? record.events : [begin as GuestEvent, ...record.events];
  const ready = testDevice === '' ? undefined : record.ready;
  const xfstests = { test: ID, groups: ['auto'], ...QUIET };
  return judge({ ...record, events, ready, kernelFindings }, expectation('xfs', { xfstests }));
}

t.test('a finding that is excused keeps all it says', async (t) => {
  const one = finding({
    kind: 'fs-error',
    message: 'XFS (pmem0): Internal error x',
    device: 'pmem0',
  });
  const provoked = 'it announces this message to check';
  t.match(judgedOn('/dev/pmem0', [one]), { verdict: 'fail' }, 'of TEST_DEV');
  const { verdict, findings } = judgedOn('/dev/pmem1', [one]);
  t.equal(verdict, 'pass', 'as the clone has it');
  t.strictSame(findings, [{ ...one, severity: 'notice', provoked }]);
  t.match(judgedOn('', [one]).findings, [{ provoked }], 'no device is known');
  const notice = { ...one, severity: 'notice' as const };
  t.strictSame(judgedOn('/dev/pmem1', [notice]).findings, [notice]);
});

t.test('mounting a loop device without a file excuses the read beyond its end', async (t) => {
  const judgedLines = (detail: string) =>
    judgedOn(
      '/dev/pmem0',
      scanKernelLog(`mount: attempt to access beyond end of device\n${detail}\n`),
    );
  const provoked = 'it mounts an empty loop device';
  const [free, pmem, partly] = [
    'loop0: rw=4096, sector=0, nr_sectors = 1 limit=0',
    'pmem1: rw=4096, sector=0, nr_sectors = 1 limit=0',
    'loop0: rw=4096, sector=8, nr_sectors = 1 limit=8',
  ].map(judgedLines);
  t.match(free, { verdict: 'pass', findings: [{ severity: 'notice', provoked }] });
  t.equal(pmem?.verdict, 'fail', 'of a device that the test mounts');
  t.equal(partly?.verdict, 'fail', 'of a loop device that has a file');
});

t.test('an empty loop device excuses nothing but errors of reading it', async (t) => {
  const message = 'EXT4-fs (loop0): unable to read superblock';
  const kinds = (['fs-error', 'io-error', 'warning', 'oops'] as const).map((kind) => [
    kind,
    judgedOn('/dev/pmem0', [finding({ kind, message, device: 'loop0' })]).verdict,
  ]);
  t.strictSame(kinds, [
    ['fs-error', 'pass'],
    ['io-error', 'pass'],
    ['warning', 'fail'],
    ['oops', 'fail'],
  ]);
});
