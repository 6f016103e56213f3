import type { FileSystem } from '../file-systems.js';
import { atLeast } from '../kernel-version.js';

/** What a file system is made for. */
export interface MadeFor {
  fs: FileSystem;
  /** The user's own options. */
  given: string;
  /** The kernel's release. */
  release: string;
  /** The version of mkfs.xfs, if it is known. */
  xfsprogs: string | undefined;
  /** Whether it lies directly on a partition. */
  onPartition?: boolean;
}

/**
 * Features that mkfs.xfs turns on by itself since a version, and the first kernel that knows them. The defaults
 * are those of xfsprogs' mkfs/lts_*.conf; 6.1 refuses what 7.2.0 makes with "unknown incompatible features
 * (0xc0)", which are the first two.
 */
const XFS_FEATURES = [
  { name: 'exchange', option: '-i exchange=0', xfsprogs: '6.10', kernel: '6.10' },
  { name: 'parent', option: '-n parent=0', xfsprogs: '6.10', kernel: '6.10' },
  { name: 'nrext64', option: '-i nrext64=0', xfsprogs: '6.5', kernel: '5.19' },
  { name: 'bigtime', option: '-m bigtime=0', xfsprogs: '5.15', kernel: '5.10' },
  { name: 'inobtcount', option: '-m inobtcount=0', xfsprogs: '5.15', kernel: '5.10' },
  { name: 'rmapbt', option: '-m rmapbt=0', xfsprogs: '6.5', kernel: '4.8' },
] as const;

/** The options for mkfs: those that the kernel needs for DAX, or to mount at all, and the user's own. */
export function mkfsOptions({ fs, given, release, xfsprogs, onPartition }: MadeFor): string {
  if (fs !== 'xfs') return given;
  const isOwn = (name: string) => new RegExp(`\\b${name}\\b`).test(given);
  // Before 6.2, xfs cannot mount a file system with reflink on DAX, and reflink is mkfs's default. On a
  // partition it still refuses: "DAX and reflink cannot work with multi-partitions!"
  const refused = onPartition || !atLeast(release, '6.2');
  const needed = refused && !isOwn('reflink') ? ['-m reflink=0'] : [];
  const unknown = featuresToTurnOff(release, xfsprogs).filter(({ name }) => !isOwn(name));
  return [...needed, ...unknown.map(({ option }) => option), given].filter(Boolean).join(' ');
}

/** The features that this mkfs.xfs would turn on, and this kernel does not know. */
export function featuresToTurnOff(release: string, xfsprogs: string | undefined) {
  if (xfsprogs === undefined) return [];
  return XFS_FEATURES.filter(
    (one) => atLeast(xfsprogs, one.xfsprogs) && !atLeast(release, one.kernel),
  );
}
