import type { FileSystem } from '../file-systems.js';

/**
 * What a file system guarantees after a power cut; images are judged by it. On all of them fsync, fdatasync,
 * msync(MS_SYNC), O_SYNC and O_DSYNC promise the data, and the size if it changed (fsync(2), msync(2),
 * open(2)). fsync of a directory promises its names (fsync(2): "an explicit fsync() on a file descriptor for
 * the directory is also needed"). A MAP_SYNC mapping promises that data which the program writes back stays in
 * the file (mmap(2)). The file systems differ in the following:
 */
export interface Guarantees {
  /**
   * `journal`: a mount makes it consistent, and the check after it has to be clean. `repair`: e2fsck may repair
   * anything before the mount, as long as it succeeds and nothing promised is lost.
   */
  recovery: 'journal' | 'repair';
  /** fsync of a new file promises its name as well. */
  fsyncKeepsName: boolean;
  /** During a rename the file always has its old name or its new one. */
  atomicRename: boolean;
  /** sync(2) waits until the device has everything. */
  sync: boolean;
  /** One sentence for people, with its source. */
  because: string;
}

const JOURNAL_OF_EXT4: Guarantees = {
  recovery: 'journal',
  fsyncKeepsName: true,
  atomicRename: true,
  sync: true,
  because:
    "a transaction of jbd2 holds a new file's inode and its name (ext4_create), and both names of a rename (ext4_rename); fsync commits it (ext4_fsync_journal), sync too (ext4_sync_fs, which ends with a flush request)",
};

const NO_JOURNAL: Guarantees = {
  recovery: 'repair',
  fsyncKeepsName: false,
  atomicRename: false,
  sync: false,
  because:
    'without a journal names, inodes and bitmaps are written apart, for e2fsck to put together; ext2_sync_fs sends the device no flush request, so that nothing says when what sync wrote is kept',
};

const LOG_OF_XFS: Guarantees = {
  recovery: 'journal',
  fsyncKeepsName: true,
  atomicRename: true,
  sync: true,
  because:
    "a transaction of the log holds a new file's inode and its name (xfs_create), and both names of a rename (xfs_rename); fsync and sync force the log (xfs_file_fsync, xfs_fs_sync_fs), and recovery replays it at the mount",
};

const NOTHING_IS_KEPT = /(?:^|,)(?:nobarrier|barrier=0)(?:,|$)/;

/** Whether these mount options cancel all guarantees. */
export function keepsNothing(mountOptions: string): boolean {
  return NOTHING_IS_KEPT.test(mountOptions);
}

/** Offsets in superblocks: Documentation/filesystems/ext4/super.rst; xfs_dsb in fs/xfs/libxfs/xfs_format.h. */
const EXT = { at: 1024, magic: 0x38, features: 0x5c, journalInode: 0xe0, hasJournal: 4 };
const XFS = { magic: 0x58465342, logStart: 48 };

/**
 * Whether a file system that a test made itself has the same guarantees as TEST_DEV's, and can be recovered
 * from its own device: an external journal or log does not exist after a cut.
 *
 * @param superblock the first 4096 bytes of its device, if they are not all zeros
 */
export function owesTheSame(
  fs: FileSystem,
  superblock: Buffer | undefined,
  { recovery }: Guarantees,
): boolean {
  if (!superblock) return false;
  if (fs === 'xfs') {
    return (
      superblock.readUInt32BE(0) === XFS.magic && superblock.readBigUInt64BE(XFS.logStart) !== 0n
    );
  }
  const { at, magic, features, journalInode, hasJournal } = EXT;
  if (superblock.readUInt16LE(at + magic) !== 0xef53) return false;
  const journal = (superblock.readUInt32LE(at + features) & hasJournal) !== 0;
  if (recovery === 'repair') return !journal;
  return journal && superblock.readUInt32LE(at + journalInode) !== 0;
}

/**
 * The guarantees of a file system with these options; undefined if the options cancel them. Without barriers
 * the file system sends no flush, and a power cut may lose anything.
 */
export function guaranteesOf(
  fs: FileSystem,
  { mkfsOptions, mountOptions }: { mkfsOptions: string; mountOptions: string },
): Guarantees | undefined {
  if (keepsNothing(mountOptions)) return undefined;
  switch (fs) {
    case 'ext2':
      return NO_JOURNAL;
    case 'ext4':
      // data=writeback and data=ordered promise the same for fsync.
      return /\^has_journal/.test(mkfsOptions) ? { ...NO_JOURNAL, sync: true } : JOURNAL_OF_EXT4;
    case 'xfs':
      return LOG_OF_XFS;
  }
}
