import type { FileSystem } from '../file-systems.js';

/**
 * What a file system owes after a power cut, and so what is held against it. fsync, fdatasync,
 * msync(MS_SYNC), O_SYNC and O_DSYNC promise the data, and the size where it changed, on all of them
 * (their manual pages: fsync(2), msync(2), open(2)); fsync of a directory promises its names (fsync(2):
 * "an explicit fsync() on a file descriptor for the directory is also needed"); a MAP_SYNC mapping
 * promises that what the program writes back is the file's for good (mmap(2)). What differs:
 */
export interface Guarantees {
  /**
   * `journal`: a mount makes it consistent, and the check afterwards has to be clean. `repair`: e2fsck
   * may repair what it wants before the mount, as long as it can and nothing promised is lost.
   */
  recovery: 'journal' | 'repair';
  /** fsync of a file that was made since promises its name as well. */
  fsyncKeepsName: boolean;
  /** While a file is renamed it has its old name or its new one, and one of them always. */
  atomicRename: boolean;
  /** sync(2) waits until the device has everything. */
  sync: boolean;
  /** One sentence for people, and where it is from. */
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

/** Whether a file system that is mounted so takes all guarantees back. */
export function keepsNothing(mountOptions: string): boolean {
  return NOTHING_IS_KEPT.test(mountOptions);
}

/** Numbers of a superblock: Documentation/filesystems/ext4/super.rst; xfs_dsb in fs/xfs/libxfs/xfs_format.h. */
const EXT = { at: 1024, magic: 0x38, features: 0x5c, journalInode: 0xe0, hasJournal: 4 };
const XFS = { magic: 0x58465342, logStart: 48 };

/**
 * Whether a file system that a test made itself owes the same as TEST_DEV's, and can be recovered from its
 * own device: a journal or a log on another one is not there after a cut.
 *
 * @param superblock its device's first 4096 bytes, where they are not all zeros
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
 * The guarantees of a file system with these options; undefined where its options take them all back:
 * without barriers no flush is sent, and a power cut may lose anything.
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
      // data=writeback and data=ordered are alike in what fsync promises.
      return /\^has_journal/.test(mkfsOptions) ? { ...NO_JOURNAL, sync: true } : JOURNAL_OF_EXT4;
    case 'xfs':
      return LOG_OF_XFS;
  }
}
