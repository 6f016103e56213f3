import type { CachedData, Look, SeenInode, Unmount, UnmountLog } from '../record/unmounts.js';

/**
 * Why something was not written: the inodes that were still dirty when an unmount discarded their cached
 * contents.
 */
export type Unwritten =
  | {
      known: true;
      /** How many unmounts of the file system were observed. */
      unmounts: number;
      inodes: UnwrittenInode[];
      /** Inodes that were recorded and are not listed. */
      omitted: number;
      /** DAX inodes that have pages in the page cache and were written: types and counts. */
      writtenDax: { inodeType: string; inodes: number }[];
    }
  /** `reason`: one clause without the full stop. */
  | { known: false; reason: string };

/** An inode that lost something, as recorded by the first unmount that lost something of it. */
export interface UnwrittenInode {
  /** As the kernel names it: `pmem0`. */
  device: string;
  inode: number;
  inodeType: string;
  path?: string | undefined;
  /** Whether it has S_DAX: write-back then treats it as an inode without pages. */
  dax: boolean;
  size: number;
  before: CachedData;
  /** After the unmount's sync. */
  synced: CachedData;
  /** At the time when it was discarded. */
  dropped: CachedData;
}

/** The most inodes that JSON lists. */
const MOST_INODES = 200;

const NOTHING: CachedData = {
  pages: 0,
  dirtyPages: 0,
  daxEntries: 0,
  dirtyDaxEntries: 0,
  atLeast: false,
};

export function unwrittenAt({ total, forgotten, unmounts }: UnmountLog): Unwritten {
  if (total === 0) return { known: false, reason: 'nothing was unmounted' };
  const lost = new Map<string, UnwrittenInode>();
  const written = new Map<string, Set<string>>();
  let omitted = 0;
  for (const unmount of unmounts) {
    if (!unmount.dropped) continue;
    omitted += unmount.dropped.omitted;
    const before = byNumber(unmount.before);
    const synced = byNumber(unmount.synced);
    for (const inode of unmount.dropped.shown) {
      const key = keyOf(unmount, inode);
      if (inode.links > 0 && isDirty(inode.cached)) {
        const { inode: number } = inode;
        if (!lost.has(key)) {
          lost.set(key, describe(unmount, inode, before.get(number), synced.get(number)));
        }
      } else if (inode.dax && inode.cached.pages > 0) {
        const { inodeType } = inode;
        written.set(inodeType, (written.get(inodeType) ?? new Set()).add(key));
      }
    }
  }
  if (lost.size === 0 && forgotten > 0) {
    return { known: false, reason: `there was no room to record ${forgotten} unmounts` };
  }
  const inodes = [...lost.values()].sort((a, b) => a.inode - b.inode);
  return {
    known: true,
    unmounts: total,
    inodes: inodes.slice(0, MOST_INODES),
    omitted: omitted + Math.max(0, inodes.length - MOST_INODES),
    writtenDax: [...written]
      // An inode that lost something is read from the medium again, and is clean then: that is no write.
      .map(([inodeType, keys]) => ({
        inodeType,
        inodes: [...keys].filter((key) => !lost.has(key)).length,
      }))
      .filter((one) => one.inodes > 0),
  };
}

function isDirty({ dirtyPages, dirtyDaxEntries }: CachedData): boolean {
  return dirtyPages > 0 || dirtyDaxEntries > 0;
}

function keyOf({ device }: Unmount, { inode, inodeType }: SeenInode): string {
  return `${device} ${inode} ${inodeType}`;
}

function byNumber(look: Look | undefined): Map<number, SeenInode> {
  return new Map(look?.shown.map((seen) => [seen.inode, seen]));
}

/** Only earlier looks know the name: an unmount drops the names first. */
function describe(
  { device }: Unmount,
  { inode, inodeType, dax, size, cached, path }: SeenInode,
  before: SeenInode | undefined,
  synced: SeenInode | undefined,
): UnwrittenInode {
  const name = before?.path ?? path;
  return {
    device,
    inode,
    inodeType,
    ...(name === undefined ? {} : { path: name }),
    dax,
    size,
    before: before?.cached ?? NOTHING,
    synced: synced?.cached ?? NOTHING,
    dropped: cached,
  };
}
