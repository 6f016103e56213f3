/**
 * The functions and macros by which the kernel prints: at which level, which argument is the format,
 * and what they put around it. Taken from include/linux/printk.h, dev_printk.h, fs/ext2/super.c,
 * fs/ext4/super.c, fs/xfs/xfs_message.c, fs/xfs/xfs_error.c, mm/slub.c, fs/erofs/super.c and
 * fs/quota/dquot.c.
 */

/** As the console's log level counts them; `info` includes KERN_NOTICE. */
export type Level = 'error' | 'warning' | 'info';

export interface Printer {
  /** Absent where the call names it (`KERN_ERR`) or, without one, where printk's default holds. */
  level?: Level;
  /** Which argument is the format, counted from 0. */
  format: number;
  /** The line, with `{}` where the format goes, and `<pr_fmt>` and `<device>` for what differs. */
  line: string;
}

const EXT4_ERROR = 'EXT4-fs error (device %s): %s:%d: ';
const EXT4_INODE = `${EXT4_ERROR}inode #%lu: comm %s: {}`;
const EXT4_BLOCK = `${EXT4_ERROR}inode #%lu: block %llu: comm %s: {}`;
const SLUB = 'BUG %s (%s): {}';

/** Those with names of their own. */
const PLAIN: Record<string, Printer> = {
  printk: { format: 0, line: '{}' },
  printk_once: { format: 0, line: '{}' },
  printk_ratelimited: { format: 0, line: '{}' },
  printk_deferred: { format: 0, line: '{}' },
  panic: { level: 'error', format: 0, line: 'Kernel panic - not syncing: {}' },
  ext2_error: { level: 'error', format: 2, line: 'EXT2-fs (%s): error: %s: {}' },
  ext2_msg: { format: 2, line: 'EXT2-fs (%s): {}' },
  ext4_msg: { format: 2, line: 'EXT4-fs (%s): {}' },
  ext4_error: { level: 'error', format: 1, line: `${EXT4_ERROR}comm %s: {}` },
  ext4_error_err: { level: 'error', format: 2, line: `${EXT4_ERROR}comm %s: {}` },
  ext4_abort: { level: 'error', format: 2, line: `${EXT4_ERROR}comm %s: {}` },
  ext4_error_inode: { level: 'error', format: 4, line: EXT4_INODE },
  ext4_error_inode_err: { level: 'error', format: 5, line: EXT4_INODE },
  ext4_error_inode_block: { level: 'error', format: 3, line: EXT4_BLOCK },
  EXT4_ERROR_INODE: { level: 'error', format: 1, line: EXT4_INODE },
  EXT4_ERROR_INODE_ERR: { level: 'error', format: 2, line: EXT4_INODE },
  EXT4_ERROR_FILE: {
    level: 'error',
    format: 2,
    line: `${EXT4_ERROR}inode #%lu: comm %s: path %s: {}`,
  },
  ext4_error_file: {
    level: 'error',
    format: 4,
    line: `${EXT4_ERROR}inode #%lu: comm %s: path %s: {}`,
  },
  ext4_grp_locked_error: { level: 'error', format: 4, line: `${EXT4_ERROR}group %u, {}` },
  ext4_warning: { level: 'warning', format: 1, line: 'EXT4-fs warning (device %s): %s:%d: {}' },
  ext4_warning_inode: {
    level: 'warning',
    format: 1,
    line: 'EXT4-fs warning (device %s): %s:%d: inode #%lu: comm %s: {}',
  },
  dump_mmp_msg: { level: 'warning', format: 2, line: 'EXT4-fs warning (device %s): %s:%d: {}' },
  slab_bug: { level: 'error', format: 1, line: SLUB },
  slab_err: { level: 'error', format: 2, line: SLUB },
  object_err: { level: 'error', format: 3, line: SLUB },
  slab_fix: { level: 'error', format: 1, line: 'FIX %s: {}' },
  quota_error: { level: 'error', format: 1, line: 'Quota error (device %s): %s: {}' },
  erofs_err: { level: 'error', format: 1, line: 'erofs (device %s): {}' },
  xfs_alert_tag: { level: 'error', format: 2, line: 'XFS (%s): {}' },
  CHECK_DATA_CORRUPTION: { level: 'error', format: 1, line: '{}' },
  REFCOUNT_WARN: { level: 'warning', format: 0, line: 'refcount_t: {}.' },
};

const SUFFIXES = ['', '_once', '_ratelimited', '_deferred'];
const LEVELS: Record<string, Level> = {
  emerg: 'error',
  alert: 'error',
  crit: 'error',
  err: 'error',
  warn: 'warning',
  notice: 'info',
  info: 'info',
};

export const PRINTERS: ReadonlyMap<string, Printer> = new Map([
  ...Object.entries(PLAIN),
  ...Object.entries(LEVELS).flatMap(([name, level]) =>
    SUFFIXES.flatMap((suffix): [string, Printer][] => [
      [`pr_${name}${suffix}`, { level, format: 0, line: '<pr_fmt>{}' }],
      [`dev_${name}${suffix}`, { level, format: 1, line: '<device>: {}' }],
      [`xfs_${name}${suffix}`, { level, format: 1, line: 'XFS (%s): {}' }],
    ]),
  ),
]);
