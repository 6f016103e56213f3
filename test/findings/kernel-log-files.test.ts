import { readFileSync } from 'node:fs';
import t from 'tap';
import { scanKernelLog } from '../../cli/findings/kernel-log.js';

/** Whole logs of one kind each: fixtures/kernel-logs/README.md. */

const read = (name: string) =>
  readFileSync(new URL(`../../fixtures/kernel-logs/${name}.log`, import.meta.url), 'utf8');

/** Severity, signature and device of each finding. */
const summary = (text: string) =>
  scanKernelLog(text).map(({ severity, signature, device }) =>
    [severity, signature, device].filter(Boolean).join(' '),
  );

t.test('finds every status of the block layer', async (t) => {
  t.strictSame(summary(read('block-status')), [
    'corruption kernel:io-error:critical-space-allocation-error dm-1',
    'corruption kernel:io-error:critical-space-allocation-error dm-1',
    'corruption kernel:io-error:device-offline-error vdb',
    'corruption kernel:io-error:protection-error vdb',
    'corruption kernel:io-error:timeout-error vdb',
    'corruption kernel:io-error:critical-medium-error pmem0',
  ]);
});

t.test("rates lockdep's own limits as notices", async (t) => {
  t.match(scanKernelLog(read('lockdep-limits')), [
    { kind: 'lockdep', severity: 'notice', lines: { length: 10 } },
  ]);
  for (const limit of ['MAX_LOCK_DEPTH', 'MAX_LOCKDEP_KEYS', 'MAX_STACK_TRACE_ENTRIES']) {
    t.match(scanKernelLog(`BUG: ${limit} too low!\n`), [{ severity: 'notice' }], limit);
  }
  t.match(scanKernelLog('WARNING: possible circular locking dependency detected\n'), [
    { severity: 'repairable' },
  ]);
});

t.test('finds quota errors and busy inodes', async (t) => {
  t.strictSame(summary(read('quota-busy-inodes')), [
    'corruption kernel:fs-error:quota:qtree_write_dquot:error-occurred-while-creating-quota pmem0',
    'corruption kernel:fs-error:vfs:busy-inodes-after-unmount pmem0',
  ]);
  t.match(
    scanKernelLog(
      '[  1.000000] VFS: Busy inodes after unmount of dm-2. Self-destruct in 5 seconds.',
    ),
    [{ device: 'dm-2' }],
  );
});

t.test('separates two processors that print at the same time', async (t) => {
  t.strictSame(summary(read('two-writers')), [
    'corruption kernel:fs-error:ext4:ext4_lookup:inode-iget-bad-ex pmem0',
    'corruption kernel:oops:kernel-null-pointer-dereference',
    'corruption kernel:io-error:buffer-i-o-error dm-3',
    'repairable kernel:warning:fs/dax.c:dax_disassociate_entry',
    'corruption kernel:fs-error:xfs:xfs_inode_buf_verify:metadata-corruption-detected pmem1',
  ]);
});

t.test('SLUB', async (t) => {
  t.strictSame(summary(read('slab')), [
    'corruption kernel:slab:xfs_inode:xfs_iget:poison-overwritten',
    'corruption kernel:slab:ext4_inode_cache:ext4_destroy_inodecache:objects-remaining-on-__kmem_cache_shutdown',
    'corruption kernel:slab:kmalloc-64:right-redzone-overwritten',
  ]);
});

t.test('finds lost writes on any device', async (t) => {
  const found = scanKernelLog(read('lost-writes'));
  t.strictSame(
    found.filter(({ severity }) => severity !== 'corruption'),
    [],
  );
  t.strictSame(
    found.map(({ kind, device }) => `${kind} ${device ?? ''}`.trim()),
    [
      'io-error nvme0n1p2',
      'io-error dm-3',
      'io-error mmcblk0p1',
      'io-error cciss!c0d0p1',
      'io-error loop0',
      'io-error virtio1',
      'io-error virtio1',
      'io-error',
      'fs-error dm-0',
      'fs-error vda',
      'fs-error',
      'io-error 0000:0d:00.0',
      'io-error mem0',
      'io-error sda',
      'io-error pmem0',
    ],
  );
});

t.test('makes one finding of one event of a file system', async (t) => {
  const found = scanKernelLog(read('xfs-events'));
  const by = (device: string) => found.filter((finding) => finding.device === device);
  t.match(by('pmem0'), [
    { function: 'xfs_agf_verify', severity: 'corruption', lines: { length: 8 } },
  ]);
  t.match(by('pmem1'), [
    { function: 'xfs_free_extent', severity: 'corruption', lines: { length: 10 } },
  ]);
  t.match(by('pmem2'), [{ severity: 'notice', lines: { length: 3 } }], 'a requested shutdown');
  t.match(by('pmem3'), [{ kind: 'unsupported', severity: 'notice', lines: { length: 3 } }]);
  t.match(by('pmem4'), [{ severity: 'corruption', lines: { length: 1 } }]);
  t.match(by('pmem5'), [{ severity: 'corruption' }], 'of another device');
  t.match(by('pmem6'), [{ severity: 'notice', lines: { length: 2 } }]);
  t.match(by('pmem7-8'), [{ severity: 'corruption' }], 'an abort that nobody requested');
  t.equal(found.length, 8);
});

t.test('tells a feature that the kernel lacks from superblock damage', async (t) => {
  for (const [line, severity] of [
    ['XFS (pmem0): SB validate failed with error -22.', 'notice'],
    ['XFS (pmem0): SB validate failed with error -117.', 'corruption'],
    ['XFS (pmem0): Superblock has unknown read-only compatible features (0x8) enabled.', 'notice'],
    ['XFS (pmem0): Superblock has bad magic number 0x0. Not an XFS filesystem?', 'corruption'],
    ['XFS (pmem0): Corruption detected in superblock incompatible features (0xc0)!', 'corruption'],
    [
      "EXT4-fs (pmem0): couldn't mount RDWR because of unsupported optional features (400)",
      'notice',
    ],
    [
      "EXT2-fs (pmem0): error: couldn't mount because of unsupported optional features (2c0)",
      'notice',
    ],
    ['EXT4-fs (pmem0): VFS: Found ext4 filesystem with invalid superblock checksum.', 'corruption'],
  ] as const) {
    t.match(scanKernelLog(`[    1.000000] ${line}\n`), [{ severity }], line);
  }
});

t.test('recognises a shutdown by its flags if the line before is lost', async (t) => {
  const shutdown = (flags: string) =>
    `[    1.000000] XFS (pmem0): Log I/O Error (0x${flags}) detected at f+0x1/0x2 [xfs] (fs/xfs/xfs_log.c:1).  Shutting down filesystem.\n`;
  t.match(scanKernelLog(shutdown('6')), [{ severity: 'notice' }]);
  t.match(scanKernelLog(shutdown('2')), [{ severity: 'corruption' }]);
});

t.test('finds a WARNING in its three forms, and what precedes it', async (t) => {
  t.strictSame(summary(read('warnings')), [
    'repairable kernel:warning:fs/dax.c:dax_insert_entry',
    'repairable kernel:warning:fs/dax.c:dax_insert_entry',
    'repairable kernel:warning:fs/dax.c:dax_insert_entry',
    'repairable kernel:warning:lib/refcount.c:refcount_warn_saturate',
    'corruption kernel:bug:lib/list_debug.c:__list_del_entry_valid_or_report',
    'repairable kernel:bug:refcount_t-addition-on-use-after-free',
  ]);
  t.match(scanKernelLog(read('warnings'))[3]?.lines, [
    /^WARNING: lib\/refcount\.c/,
    'refcount_t: underflow; use-after-free.',
  ]);
});

t.test('finds each kind of stall', async (t) => {
  t.strictSame(summary(read('stalls')), [
    'corruption kernel:rcu-stall:stall',
    'corruption kernel:soft-lockup:dax_lock_folio:stuck',
    'corruption kernel:workqueue-lockup:stuck',
    'corruption kernel:hung-task:ext4_writepages:blocked',
    'corruption kernel:hard-lockup:stuck',
  ]);
});
