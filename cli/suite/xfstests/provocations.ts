import type { KernelFindingKind } from '../../findings/finding.js';

/**
 * Things that xfstests do on purpose to make the kernel complain, and the complaints that follow. A
 * test's script shows what it does. A complaint that no row of this table covers is a finding.
 */
export interface Provocation {
  name: string;
  /** Matches the script of a test that does this. Comments are removed before. */
  script: RegExp;
  /** The kinds of kernel findings that follow. */
  kinds: readonly KernelFindingKind[];
  /** Only these messages. */
  message?: RegExp;
  /** Not these messages. */
  except?: RegExp;
  /**
   * The kernel's message if the test did this to TEST_DEV. Without it, complaints about TEST_DEV are
   * findings, because tests must leave TEST_DEV intact.
   */
  onTestDevice?: RegExp;
  /** One clause, for the notice. */
  reason: string;
  /** The place in xfstests that does this, or says that it is on purpose. */
  source: string;
}

/** Damage on the medium, which neither a shutdown nor a lost device explains. */
const DAMAGE =
  /corrupt|checksum|\bCRC\b|\bbad\b|invalid|inconsistent|mismatch|assertion|internal error|deleted inode|\bbitmap|already (?:freed|cleared)|freeing|sb orphan head/i;

/** XFS's message when it cancels a transaction, for example after an I/O error. */
const XFS_CANCELS =
  /Internal error xfs_trans_cancel\b|Corruption of in-memory data|CORRUPT_INCORE|xfs_do_force_shutdown/;

const DAMAGE_BEYOND_IO = new RegExp(`^(?!.*(?:${XFS_CANCELS.source})).*(?:${DAMAGE.source})`, 'i');

function anyOf(...patterns: RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'));
}

export const PROVOCATIONS: readonly Provocation[] = [
  {
    name: 'memory-failure',
    script: /\bt_mmap_cow_memory_failure\b|\bMADV_HWPOISON\b|\bhwpoison\b|\bcorrupt-pfn\b/,
    kinds: ['machine-check'],
    message:
      /\bMemory failure: (?:0x)?[\da-f]+: (?:(?:Sending SIGBUS to|Killing) .{1,16}:\d+ due to hardware memory corruption|recovery action for .{1,40}: Recovered)|\bMCE: Killing .{1,16}:\d+ due to hardware memory corruption/,
    reason: 'it poisons pages with MADV_HWPOISON',
    source: 'src/t_mmap_cow_memory_failure.c',
  },
  {
    name: 'shutdown',
    script:
      /\b_(?:require_)?(?:scratch|test)_shutdown\w*|\bgodown\b|\bgoingdown\b|-c\s*["']?shutdown\b/,
    kinds: ['fs-error', 'io-error'],
    except: DAMAGE,
    onTestDevice: /User initiated shutdown|shut down requested/,
    reason: 'it shuts the file system down',
    source: 'common/rc: _scratch_shutdown; src/godown.c',
  },
  {
    name: 'io-errors',
    script: anyOf(
      /\b_dmerror_\w+|\bFLAKEY_ERROR_WRITES\b|\b_dmthin_set_(?:fail|queue)\b|\b_(?:init|mount)_dust\b/,
      /fail_make_request\b|\/device\/state\b|\b_\w*prepare_for_eio_shutdown\b/,
      // LVM: a thin pool that fills up, a snapshot that overflows.
      /--errorwhenfull\b|\blvcreate\b[^\n]*\s-s\b/,
    ),
    kinds: ['fs-error', 'io-error'],
    except: DAMAGE_BEYOND_IO,
    reason: 'it makes the device fail',
    source:
      'common/dmerror, dmflakey, dmthin, dmdust, fail_make_request; common/xfs: _xfs_prepare_for_eio_shutdown',
  },
  {
    name: 'error-injection',
    script: /\b_(?:scratch|test)_inject_error\b|-c\s*["']?inject\b|\berrortag\b/,
    kinds: ['fs-error', 'io-error'],
    onTestDevice: /Injecting error/,
    reason: 'it injects errors into XFS',
    source: 'common/inject: _scratch_inject_error, _test_inject_error',
  },
  {
    name: 'corruption',
    script: anyOf(
      /\b_scratch_xfs_(?:fuzz|set)_\w+|\b_scratch_fuzz_(?:test|modify)\b|\bblocktrash\b/,
      /\b(?:_scratch_xfs_db|_test_xfs_db|_xfs_db|XFS_DB_PROG|xfs_db)\b[^|;\n]*\s-x\b/,
      /\b(?:DEBUGFS_PROG|debugfs)\b[^|;\n]*\s-w\b/,
      /\b_\w*corrupt_\w+|\b_check_ag\b|\b_zero_position\b|\bLIBXFS_DEBUG_WRITE_CRASH\b|\bsed -b\b/,
      // Writing before mkfs damages no file system.
      /_mkfs(?:_\w+)?\b[\s\S]*?\b(?:dd\b[^|;\n]*\bof=\S*|(?:pwrite|src\/devzero)\b[^|;\n]*\$\{?)(?:SCRATCH_DEV|SCRATCH_LOGDEV|logdev)\b/,
    ),
    kinds: ['fs-error', 'io-error', 'unsupported'],
    reason: 'it corrupts the file system',
    source:
      'common/fuzzy; common/xfs: _scratch_xfs_db -x; common/repair: _zero_position; debugfs -w, dd and pwrite to SCRATCH_DEV',
  },
  {
    name: 'no-dmesg-check',
    script: /\b_disable_dmesg_check\b/,
    kinds: ['warning'],
    reason: 'it disables the check of the kernel log',
    source: 'common/rc: _disable_dmesg_check',
  },
  {
    name: 'asserts',
    script: /\b_check_dmesg _filter_assert_dmesg\b/,
    kinds: ['warning', 'fs-error'],
    message: /\b(?:asswarn|assfail)\b|\bAssertion failed\b/,
    reason: 'it makes assertions of XFS fail',
    source: 'common/filter: _filter_assert_dmesg',
  },
  {
    name: 'mixed-direct-io',
    script: /\b_check_dmesg _filter_aiodio_dmesg\b/,
    kinds: ['warning'],
    message:
      /\bfs\/xfs\/xfs_(?:file|aops)\.c\b.*\b(?:xfs_file_(?:dio_)?aio_(?:read|write)|xfs_file_read_iter|__xfs_get_blocks)\b|\bfs\/iomap(?:\/direct-io)?\.c\b.*\biomap_dio_(?:rw|actor|complete)\b|\bfs\/direct-io\.c\b.*\bdio_complete\b/,
    reason: 'it mixes direct I/O with buffered I/O and mmap',
    source: 'common/filter: _filter_aiodio_dmesg',
  },
];

/** The names of what a test's script provokes. */
export function provocationsOf(script: string): string[] {
  const text = script.replace(/\\\n\s*/g, ' ').replace(/^\s*#.*$|\s#\s.*$/gm, '');
  return PROVOCATIONS.filter((one) => one.script.test(text)).map(({ name }) => name);
}
