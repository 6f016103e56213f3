import t from 'tap';
import { daxMessages, KernelLogWatcher, scanKernelLog } from '../../cli/findings/kernel-log.js';

/** Lines as on a console, each with a stamp. */
function stamped(...lines: string[]): string {
  return lines.map((line, at) => `[    3.${String(at).padStart(6, '0')}] ${line}\n`).join('');
}

const OOPS = [
  'BUG: kernel NULL pointer dereference, address: 0000000000000010',
  '#PF: supervisor read access in kernel mode',
  'Oops: 0000 [#1] PREEMPT SMP NOPTI',
  'CPU: 0 PID: 200 Comm: fsx Tainted: G           O       6.1.0-56-amd64 #1',
  'RIP: 0010:ext2_get_block+0x1c/0x50 [ext2]',
  'Call Trace:',
  ' <TASK>',
  ' dax_iomap_rw+0x100/0x200',
  '---[ end trace 0000000000000000 ]---',
];

/** How a complaint begins, and its expected class. */
const CLASSES: ReadonlyArray<readonly [string | string[], string]> = [
  [
    'Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009',
    'kernel:panic:attempted-to-kill-init-exitcode',
  ],
  [OOPS, 'kernel:oops:ext2_get_block:kernel-null-pointer-dereference'],
  [
    ['BUG: unable to handle page fault for address: ffffc90000a0b000', 'RIP: 0010:f+0x1/0x2'],
    'kernel:oops:f:unable-to-handle-page-fault-for-address',
  ],
  [
    [
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#2] PREEMPT SMP',
      'RIP: 0010:ext2_evict_inode+0x1/0x2 [ext2]',
    ],
    'kernel:oops:ext2_evict_inode:general-protection-fault',
  ],
  [['divide error: 0000 [#1] SMP', 'RIP: 0010:f+0x1/0x2'], 'kernel:oops:f:divide-error'],
  [
    ['kernel BUG at fs/dax.c:123!', 'invalid opcode: 0000 [#1] SMP', 'RIP: 0010:f.cold+0x1/0x2'],
    'kernel:bug:fs/dax.c:f',
  ],
  [
    'WARNING: CPU: 0 PID: 123 at fs/dax.c:412 dax_insert_entry.constprop.0+0x2ac/0x2e0',
    'kernel:warning:fs/dax.c:dax_insert_entry',
  ],
  [
    'WARNING: CPU: 1 at fs/dax.c:99 dax_insert_entry+0x1/0x2, CPU#1: fsx/200',
    'kernel:warning:fs/dax.c:dax_insert_entry',
  ],
  [
    'WARNING: fs/dax.c:412 at dax_insert_entry+0x2ac/0x2e0, CPU#0: fsx/123',
    'kernel:warning:fs/dax.c:dax_insert_entry',
  ],
  [
    [
      'INFO: task fsstress:456 blocked for more than 120 seconds.',
      ' __schedule+0x351/0xa20',
      ' schedule+0x5d/0xe0',
      ' ext2_sync_fs+0x12/0x20 [ext2]',
    ],
    'kernel:hung-task:ext2_sync_fs:blocked',
  ],
  [
    [
      'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [fsx:789]',
      'RIP: 0010:dax_lock_page+0x1/0x2',
    ],
    'kernel:soft-lockup:dax_lock_page:stuck',
  ],
  ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 0', 'kernel:hard-lockup:stuck'],
  ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'kernel:rcu-stall:stall'],
  ['rcu: INFO: rcu_sched self-detected stall on CPU', 'kernel:rcu-stall:stall'],
  [
    'BUG: KASAN: use-after-free in ext2_foo+0x1/0x20 [ext2]',
    'kernel:kasan:ext2_foo:use-after-free',
  ],
  [
    'UBSAN: array-index-out-of-bounds in fs/ext2/inode.c:12:3',
    'kernel:ubsan:fs/ext2/inode.c:array-index-out-of-bounds',
  ],
  ['BUG: KFENCE: out-of-bounds read in f+0x1/0x2', 'kernel:kfence:f:out-of-bounds-read'],
  ['BUG: KCSAN: data-race in f / g', 'kernel:kcsan:f:data-race'],
  [
    'WARNING: possible circular locking dependency detected',
    'kernel:lockdep:possible-circular-locking-dependency-detected',
  ],
  [
    'WARNING: possible recursive locking detected',
    'kernel:lockdep:possible-recursive-locking-detected',
  ],
  ['WARNING: inconsistent lock state', 'kernel:lockdep:inconsistent-lock-state'],
  [
    'EXT4-fs error (device pmem0): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0',
    'kernel:fs-error:ext4:ext4_find_entry:inode-reading-directory-lblock',
  ],
  [
    'EXT2-fs (pmem0): error: ext2_check_folio: bad entry in directory #12: unaligned directory entry - offset=0',
    'kernel:fs-error:ext2:ext2_check_folio:bad-entry-in-directory-unaligned-directory-entry-offset',
  ],
  [
    'XFS (pmem0): Metadata corruption detected at xfs_agf_verify+0x5d/0x110 [xfs], xfs_agf block 0x1',
    'kernel:fs-error:xfs:xfs_agf_verify:metadata-corruption-detected',
  ],
  [
    'XFS (pmem0): Internal error XFS_WANT_CORRUPTED_GOTO at line 123 of file fs/xfs/xfs_alloc.c.  Caller xfs_fix+0x1/0x2 [xfs]',
    'kernel:fs-error:xfs:fs/xfs/xfs_alloc.c:xfs_fix:internal-error-xfs_want_corrupted_goto',
  ],
  [
    'XFS (pmem1): Corruption detected. Unmount and run xfs_repair',
    'kernel:fs-error:xfs:corruption-detected-unmount-and-run-xfs_repair',
  ],
  [
    'EXT4-fs error (device pmem0): ext4_ext_check_inode:567: inode #12: block 99: comm kworker/u8:1: pblk 0 bad header/extent: invalid magic - magic 5a0f, entries 0',
    'kernel:fs-error:ext4:ext4_ext_check_inode:inode-pblk-bad-header-extent-invalid-magic-magic-entries',
  ],
  [
    'EXT4-fs (pmem0): error restoring inline_data for inode -- potential data loss! (inode 13, error -5)',
    'kernel:fs-error:ext4:error-restoring-inline_data-for-inode-potential-data-loss-inode-error',
  ],
  [
    'XFS (pmem0): Allocated a known in-use inode 0x24bcab!',
    'kernel:fs-error:xfs:allocated-a-known-in-use-inode',
  ],
  [
    'XFS (pmem0): Torn write (CRC failure) detected at log block 0x1391b3. Truncating head block from 0x95b85.',
    'kernel:fs-error:xfs:torn-write-crc-failure-detected-at-log-block-truncating-head-block-from',
  ],
  [
    'Buffer I/O error on dev pmem0, logical block 5, lost async page write',
    'kernel:io-error:buffer-i-o-error',
  ],
  ['Out of memory: Killed process 123 (fsx) total-vm:1kB', 'kernel:out-of-memory:killed-process'],
];

t.test('takes the device from the line after an access beyond its end', async (t) => {
  for (const [head, detail] of [
    // 6.1 and later, 5.10.
    ['mount: ', 'loop0: rw=4096, sector=0, nr_sectors = 1 limit=0'],
    ['', 'loop0: rw=4096, want=1, limit=0'],
  ]) {
    const message = `${head}attempt to access beyond end of device`;
    const [finding, ...more] = scanKernelLog(stamped(message, String(detail), 'something else'));
    t.match(finding, { kind: 'io-error', device: 'loop0', message, lines: [message, detail] });
    t.strictSame(more, []);
  }
  const two = scanKernelLog(
    stamped(
      'dd: attempt to access beyond end of device',
      'pmem0: rw=1, want=9, limit=8',
      'dd: attempt to access beyond end of device',
      'loop1: rw=1, want=9, limit=8',
    ),
  );
  t.match(two, [{ device: 'pmem0' }, { device: 'loop1' }]);
  t.match(scanKernelLog('dd: attempt to access beyond end of device\n'), [{ device: undefined }]);
});

t.test('gives each complaint its class, with or without a stamp', async (t) => {
  for (const [head, expected] of CLASSES) {
    const lines = [head].flat();
    const forms = {
      stamped: stamped(...lines),
      bare: `${lines.join('\n')}\n`,
      priority: lines.map((line) => `<4>[    3.000000] ${line}\n`).join(''),
      caller: lines.map((line) => `[    3.000000][  T123] ${line}\r\n`).join(''),
      'no last line end': lines.join('\n'),
    };
    for (const [form, text] of Object.entries(forms)) {
      const found = scanKernelLog(text).map(({ signature }) => signature);
      t.strictSame(found, [expected], `${form}: ${lines[0]}`);
    }
  }
});

t.test('rates as notices what was requested or refused', async (t) => {
  for (const line of [
    'EXT4-fs (pmem0): shut down requested (1)',
    'EXT4-fs (pmem0): Invalid commit interval 9, must be smaller than 5',
    'EXT4-fs (pmem0): warning: maximal mount count reached, running e2fsck is recommended',
    'XFS (pmem0): User initiated shutdown received.',
    'XFS (pmem0): invalid logbufs value: 99 [not 2-8]',
    'XFS (pmem0): Superblock has unknown incompatible features (0x20) enabled.',
  ]) {
    t.match(scanKernelLog(stamped(line)), [{ severity: 'notice' }], line);
  }
  for (const line of [
    'EXT4-fs (pmem0): mounted filesystem with ordered data mode. Quota mode: none.',
    'EXT2-fs (pmem0): DAX enabled. Warning: EXPERIMENTAL, use at your own risk',
    'XFS (pmem0): Mounting V5 Filesystem',
    'XFS (pmem0): Ending clean mount',
    'XFS (pmem0): Ending recovery (logdev: internal)',
    'daxrepro_ext2: loading out-of-tree module taints kernel.',
    'ext2: module verification failed: signature and/or required key missing - tainting kernel',
  ]) {
    t.strictSame(scanKernelLog(stamped(line)), [], line);
  }
});

t.test('reports an oops as a finding', async (t) => {
  t.match(scanKernelLog(stamped(...OOPS, 'EXT2-fs (pmem0): fine')), {
    length: 1,
    0: {
      tool: 'kernel',
      kind: 'oops',
      severity: 'corruption',
      function: 'ext2_get_block',
      module: 'ext2',
      message: 'BUG: kernel NULL pointer dereference, address: 0000000000000010',
      lines: OOPS,
    },
  });
});

t.test('separates one crash from the next', async (t) => {
  const kinds = scanKernelLog(
    stamped(...OOPS.slice(0, -1), ...OOPS, 'Kernel panic - not syncing: Fatal exception'),
  ).map(({ kind }) => kind);
  t.strictSame(kinds, ['oops', 'oops', 'panic']);
});

t.test('finds the same however the console is split', async (t) => {
  const text = Buffer.from(CLASSES.map(([lines]) => stamped(...[lines].flat())).join('é\n'));
  const whole = scanKernelLog(text);
  t.equal(whole.length, CLASSES.length);
  for (const size of [1, 7, 100, 4096]) {
    const watcher = new KernelLogWatcher();
    const found = [];
    for (let at = 0; at < text.length; at += size) {
      found.push(...watcher.push(text.subarray(at, at + size)));
    }
    t.strictSame([...found, ...watcher.end()], whole, `${size} bytes at a time`);
  }
});

t.test('reports a panic with its line, an oops with its end', async (t) => {
  const watcher = new KernelLogWatcher();
  t.strictSame(watcher.push('[    1.000000] Kernel panic - not'), []);
  t.match(watcher.push(' syncing: VFS: Unable to mount root fs\n'), [{ kind: 'panic' }]);
  t.strictSame(watcher.push(stamped(...OOPS.slice(0, -1))), []);
  t.match(watcher.push(stamped(...OOPS.slice(-1))), [{ kind: 'oops' }]);
  t.strictSame(watcher.push('---[ end Kernel panic - not syncing: VFS ]---\n'), []);
  t.strictSame(watcher.end(), []);
});

t.test('settles open findings between two tests, and starts counting anew', async (t) => {
  const watcher = new KernelLogWatcher();
  const flood = stamped(
    'WARNING: CPU: 0 PID: 1 at fs/dax.c:1 dax_x+0x1/0x2',
    '---[ end trace 0 ]---',
  );
  const found = watcher.push(flood.repeat(100)).length;
  t.ok(found < 100);
  t.strictSame(watcher.push(stamped(...OOPS.slice(0, -1))), []);
  t.match(watcher.settle(), [{ kind: 'oops' }]);
  t.match(watcher.push(`${flood}[    9.000000] WARN`), [{ kind: 'warning' }]);
  t.strictSame(watcher.settle(), [], 'an incomplete line is not a line yet');
  t.strictSame(
    watcher.push(stamped('x').replace(/.*x/, 'ING: CPU: 0 PID: 1 at fs/ext2/a.c:1 y+0x1/0x2')),
    [],
  );
  t.match(watcher.end(), [{ kind: 'warning', message: /ext2/ }]);
});

t.test("a program's output before it", async (t) => {
  t.match(scanKernelLog(`no line end${stamped('kernel BUG at fs/dax.c:1!')}`), [{ kind: 'bug' }]);
  t.match(scanKernelLog(`\x1bc\x1b[?7l${stamped('kernel BUG at fs/dax.c:1!')}`), [{ kind: 'bug' }]);
  const long = 'x'.repeat(100_000);
  t.match(scanKernelLog(`${long}\n${stamped('kernel BUG at fs/dax.c:1!')}`), [{ kind: 'bug' }]);
});

t.test('no findings', async (t) => {
  const harmless = stamped(
    'Linux version 6.1.0-56-amd64',
    'ext2: loading out-of-tree module taints kernel.',
    'ext2: module verification failed: signature and/or required key missing - tainting kernel',
    'EXT4-fs (pmem0): DAX enabled. Warning: EXPERIMENTAL, use at your own risk',
    'EXT4-fs (pmem0): mounted filesystem with ordered data mode. Opts: dax. Quota mode: none.',
    'EXT2-fs (pmem0): DAX unsupported by block device. Turning off DAX.',
    'EXT2-fs (pmem0): error: unsupported blocksize for DAX',
    'XFS (pmem0): EXPERIMENTAL Large extent counts feature in use. Use at your own risk!',
    'XFS (pmem0): Mounting V5 Filesystem',
    'XFS (pmem0): Ending clean mount',
    'XFS (pmem0): Ending recovery (logdev: internal)',
    'blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0',
    'Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on',
    'sched_clock: Marking stable (1, 2)->(3, -4)',
    'ACPI: IRQ0 used by override.',
  );
  t.strictSame(scanKernelLog(harmless), []);
  t.strictSame(scanKernelLog('WARNING: a program says so\nsome error happened\n'), []);
  t.strictSame(scanKernelLog(''), []);
});

t.test('limits the findings of a guest that floods the console', async (t) => {
  const watcher = new KernelLogWatcher();
  let found = 0;
  for (let at = 0; at < 2000; at += 1) {
    found += watcher.push(stamped(`EXT4-fs error (device pmem0): f:1: inode #${at}: bad`)).length;
    found += watcher.push(stamped(`BUG: ${'abcdefghij'.repeat(1 + (at % 9))}${at}x`)).length;
  }
  found += watcher.end().length;
  t.ok(found <= 500);
  t.equal(found + watcher.suppressed, 4000);
  for (const garbage of [Buffer.alloc(1 << 20), Buffer.from('[ '.repeat(1 << 20))]) {
    t.strictSame(scanKernelLog(garbage), []);
  }
});

t.test("finds the kernel's messages about DAX", async (t) => {
  t.strictSame(
    daxMessages(
      stamped(
        'Command line: console=ttyS0 rootflags=dax',
        'Kernel command line: console=ttyS0 rootflags=dax',
        'EXT2-fs (pmem0): DAX unsupported by block device. Turning off DAX.',
        'EXT2-fs (pmem0): DAX unsupported by block device. Turning off DAX.',
        'EXT4-fs (pmem0): mounting ext2 file system using the ext4 subsystem',
        'ext2: DAX support has been removed. Use ext4 instead.',
        'WARNING: CPU: 0 PID: 1 at fs/dax.c:1 dax_insert_entry+0x1/0x2',
        'RIP: 0010:dax_insert_entry+0x1/0x2',
      )
        .split('\n')
        .concat('+ mount -o dax /dev/pmem0 /mnt', 'XFS (pmem1): DAX enabled.'),
    ),
    [
      'EXT2-fs (pmem0): DAX unsupported by block device. Turning off DAX.',
      'EXT4-fs (pmem0): mounting ext2 file system using the ext4 subsystem',
      'ext2: DAX support has been removed. Use ext4 instead.',
      'XFS (pmem1): DAX enabled.',
    ],
  );
});

t.test('CXL: the last word of poison in a line decides', async (t) => {
  const kinds = (text: string) =>
    scanKernelLog(`[    1.000000] cxl_mem mem0: ${text}\n`).map(
      ({ kind, severity }) => `${kind}, ${severity}`,
    );
  const failure = ['io-error, corruption'];
  const notice = ['device, notice'];
  t.strictSame(kinds('poison list overflow'), failure);
  t.strictSame(kinds('Poison inject dpa:0x1000'), notice);
  t.strictSame(kinds('poison clear failed'), notice);
  t.strictSame(kinds('poison clear failed, poison list overflow'), failure);
  t.strictSame(kinds('poison list overflow, poison clear failed'), notice);
  t.strictSame(kinds('poison list overflow\u2028, inject'), notice);
  t.strictSame(kinds('endpoint2: region0: port1: poison list overflow'), failure);
  t.strictSame(kinds('endpoint2: uncorrectable error at 0x1000'), failure);
  t.strictSame(kinds('link down, device state normal'), failure);
});
