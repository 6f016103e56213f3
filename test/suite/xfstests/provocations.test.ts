import { readFileSync } from 'node:fs';
import t from 'tap';
import { PROVOCATIONS, provocationsOf } from '../../../cli/suite/xfstests/provocations.js';

/** Lines in the style of xfstests, by what they provoke. */
const LINES: Record<string, string[]> = {
  'memory-failure': [
    '$here/src/t_mmap_cow_memory_failure -s1 -S1 -R $testdir/testfile -P $testdir/testfile',
    '_require_test_program "t_mmap_cow_memory_failure"',
  ],
  shutdown: [
    '_scratch_shutdown -f',
    '_scratch_shutdown_and_syncfs',
    '_require_scratch_shutdown',
    '$here/src/godown -f $SCRATCH_MNT',
    '$XFS_IO_PROG -x -c "shutdown -f " $SCRATCH_MNT',
    "$XFS_IO_PROG -x -c 'pwrite 0 4k' -c shutdown $SCRATCH_MNT",
  ],
  'io-errors': [
    '_dmerror_load_error_table',
    '_load_flakey_table $FLAKEY_ERROR_WRITES',
    '_dmthin_set_fail',
    'echo offline > /sys/block/`_short_dev $SCSI_DEBUG_DEV`/device/state',
    '_allow_fail_make_request',
    '_xfs_prepare_for_eio_shutdown $SCRATCH_DEV',
    '$LVM_PROG lvcreate  --thinpool $poolname  --errorwhenfull y \\\n\t--zero n -L $size',
    '$LVM_PROG lvcreate -s -L 4M -n $snapname $vgname/$lvname',
  ],
  'error-injection': [
    '_scratch_inject_error "bmapifmt"',
    '_test_inject_error "log_item_pin" 1',
    '$XFS_IO_PROG -x -c "inject buf_lru_ref" $SCRATCH_MNT',
  ],
  corruption: [
    '_scratch_xfs_db -x -c "sb 0" -c "write icount 99"',
    '_scratch_xfs_set_metadata_field "recs[1].free" "$fmask" "agi $agi" "addr root"',
    "_scratch_xfs_fuzz_metadata '' 'online' \"sb 0\"",
    '_scratch_xfs_db -x -c "agf 0" -c "blocktrash -o 0 -x 1 -y 1 -z"',
    '_scratch_fuzz_test >> $seqres.full 2>&1',
    '$DEBUGFS_PROG -w -R "clri <12>" $SCRATCH_DEV',
    'debugfs -w -R "feature -has_journal" $SCRATCH_DEV',
    '_scratch_mkfs\ndd if=/dev/zero of=$SCRATCH_DEV bs=4096 count=1',
    '_scratch_mkfs_sized 1\n$XFS_IO_PROG -f -c "pwrite -S 0x62 $off 4096" $SCRATCH_DEV',
    '_fsv_scratch_corrupt_bytes $fsv_file 1000',
    '_check_ag 0',
  ],
  'no-dmesg-check': ['_disable_dmesg_check'],
  asserts: ['_check_dmesg _filter_assert_dmesg'],
  'mixed-direct-io': ['_check_dmesg _filter_aiodio_dmesg'],
};

/** Similar lines that provoke nothing. */
const HARMLESS = [
  '_begin_fstest auto quick shutdown eio scrub repair dangerous',
  '_require_xfs_io_error_injection "force_repair"',
  '_scratch_xfs_db -c "sb 0" -c "print icount"',
  '_scratch_xfs_db -r -c freesp',
  '$DEBUGFS_PROG -R "stat <12>" $SCRATCH_DEV',
  '_load_flakey_table $FLAKEY_DROP_WRITES',
  '_flakey_drop_and_remount',
  '_scratch_xfs_stress_scrub -s "scrub inode 0"',
  '$XFS_IO_PROG -f -c "pwrite 0 16m" $SCRATCH_MNT/file',
  'dd if=/dev/zero of=$SCRATCH_MNT/file bs=4096 count=1',
  '_check_dmesg',
  'dd if=/dev/zero of=$SCRATCH_DEV bs=4096 count=1\n_scratch_mkfs',
  '_dmthin_init $size $size\n_dmthin_mount',
  'zero=$tmp.devzero',
  '_check_dmesg_for "Sending SIGBUS"',
  '# _scratch_shutdown is what this test avoids',
  'echo done # _dmerror_load_error_table',
  '$LVM_PROG lvcreate -L 4M -n $lvname $vgname',
];

t.test('recognises what a script provokes', async (t) => {
  t.same(
    PROVOCATIONS.map(({ name }) => name),
    Object.keys(LINES),
  );
  for (const [name, lines] of Object.entries(LINES)) {
    for (const line of lines) {
      t.same(provocationsOf(`#! /bin/bash\n_begin_fstest auto\n${line}\n`), [name], line);
    }
  }
});

t.test('recognises nothing in harmless scripts', async (t) => {
  for (const line of HARMLESS) t.same(provocationsOf(`${line}\n`), [], line);
});

t.test('recognises several provocations in a script', async (t) => {
  t.same(provocationsOf('_scratch_inject_error x\n_scratch_shutdown\n_disable_dmesg_check\n'), [
    'shutdown',
    'error-injection',
    'no-dmesg-check',
  ]);
});

t.test('docs/xfstests.md lists every provocation with its kinds', async (t) => {
  const page = readFileSync(new URL('../../../docs/xfstests.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| name | what the script does'));
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \|/gm)];
  t.same(
    rows.map(([, name]) => name),
    PROVOCATIONS.map(({ name }) => name),
  );
  for (const [index, [, name, excused = '']] of rows.entries()) {
    const kinds = [...excused.matchAll(/`([a-z-]+)`/g)].map(([, kind]) => kind);
    t.same(kinds, PROVOCATIONS[index]?.kinds, String(name));
  }
});
