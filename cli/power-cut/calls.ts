import type { SyncCall } from './call-marks.js';
import { LINE, type Lost } from './lost.js';

/**
 * What sync calls promise if nobody announces what the test wrote. For each line it is known whether it was
 * stored before the call began, and whether it is on the medium when the call has returned. A line that is not
 * breaks the promise if it belongs to the file, within the range that was synced.
 */

/** What an image has to keep that was taken when the call returned. */
export interface CallClaim {
  by: string;
  /** Absent for sync and syncfs. */
  file?: {
    inode: number;
    generation: number;
    /** The range that was synced: bytes `from` up to `to`. */
    from: number;
    to: number;
    /** Bytes; nothing is promised beyond. */
    size: number;
    /** The path by which it was opened, without the first slash, or else its number. */
    path: string;
    /** Size and number of blocks are promised too, since nobody changed the file. */
    unchanged?: { blocks: number } | undefined;
    /** Whether it must have some name. */
    named: boolean;
  };
  /** Lines that were stored before the call and are not on the medium; the image "everything" is asked for them. */
  lost: readonly Lost[];
}

export function claimOf(call: SyncCall, keepsName: boolean, lost: readonly Lost[]): CallClaim {
  const { by, inode, generation = 0, from = 0, to = 0, size = 0, blocks = 0, links = 0 } = call;
  const path = call.path?.replace(/^\//, '') ?? `inode ${inode}`;
  const claimed = call.kept ? lost.filter(({ before }) => before) : [];
  if (inode === undefined) return { by, lost: claimed };
  const unchanged = call.unchanged === true;
  const whole = by === 'fsync' || by === 'O_SYNC';
  return {
    by,
    file: {
      ...{ inode, generation, from, to, size, path },
      ...(unchanged ? { unchanged: { blocks } } : {}),
      named: keepsName && whole && unchanged && links > 0,
    },
    lost: claimed,
  };
}

/** @param claim with its lost lines in the order of their offsets, as the plugin writes them */
export function questionsOfCall({ file, lost }: CallClaim): string {
  const parts = touching(lost).map(({ offset, length }) => `lost ${offset} ${length}\n`);
  const whose = file ? `inode ${file.inode} ${file.generation}\n` : lost.length > 0 ? 'tree\n' : '';
  return `${parts.join('')}${whose}`;
}

/** Joins runs that differ only in who stored them. */
function touching(lost: readonly Lost[]): { offset: number; length: number }[] {
  const parts: { offset: number; length: number }[] = [];
  for (const { offset, lines } of lost) {
    const length = lines * LINE;
    const last = parts.at(-1);
    if (last && last.offset + last.length === offset) last.length += length;
    else parts.push({ offset, length });
  }
  return parts;
}
