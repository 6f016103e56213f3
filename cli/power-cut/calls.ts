import type { SyncCall } from './call-marks.js';
import { LINE, type Lost } from './lost.js';

/**
 * What sync calls promise in a test that does not announce its writes. For each line it is known whether it was
 * stored before the call began, and whether it is on the medium when the call has returned. A line that is not
 * on the medium breaks the promise if it belongs to the file, within the range that was synced.
 */

/** What an image has to contain if the power is cut when the call returns. */
export interface CallClaim {
  by: string;
  /** Absent for sync and syncfs. */
  file?: {
    inode: number;
    generation: number;
    /** The range that was synced: bytes `from` up to `to`. */
    from: number;
    to: number;
    /** Bytes. Nothing is promised beyond this size. */
    size: number;
    /** The path by which it was opened, without the leading slash, or otherwise its number. */
    path: string;
    /** Size and number of blocks are promised too, because nobody changed the file during the call. */
    unchanged?: { blocks: number } | undefined;
    /** Whether the file must have a name. */
    named: boolean;
  };
  /** Lines stored before the call that are not on the medium. The image "everything" is asked who owns them. */
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

/** @param claim its lost lines are sorted by offset, as the plugin writes them */
export function questionsOfCall({ file, lost }: CallClaim): string {
  const parts = touching(lost).map(({ offset, length }) => `lost ${offset} ${length}\n`);
  const whose = file ? `inode ${file.inode} ${file.generation}\n` : lost.length > 0 ? 'tree\n' : '';
  return `${parts.join('')}${whose}`;
}

/** Joins runs that differ only in which code stored them. */
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
