import type { DataLook, ProofEvent } from '../guest/protocol.js';

/**
 * Decides whether DAX reaches the bytes of the block device, from the guest's comparisons
 * (guest-scripts/lib/data.pl).
 */

/** What one look at a mount says about its data. */
export interface DataState {
  /** true: every page that was compared is the same; undefined: the pages contradict, or there are none. */
  same: boolean | undefined;
  /** Why DAX reaches other bytes. Empty unless `same` is false. */
  problem: string;
  /** Why there is no answer. Empty unless `same` is undefined. */
  gap: string;
}

const PAGES: Readonly<Record<DataLook['how'], string>> = {
  written: 'written to a new file',
  mapped: 'stored through a mapping of a new file',
  existing: 'of an existing file',
  exchanged: 'stored through a mapping of an existing file',
};

/**
 * Block device and DAX are one memory, so a page differs everywhere or nowhere. If only one of two
 * ways to store it shows a difference, that is a bug of the kernel and not of the device: then the
 * test's own failure counts, but its pass does not.
 */
export function readData({ data = [] }: Pick<ProofEvent, 'data'>, file = 'a new file'): DataState {
  const compared = data.filter(({ same }) => same !== undefined);
  const [different] = compared.filter(({ same }) => same !== PAGE);
  const same = compared.some((look) => look.same === PAGE);
  if (!different && same) return { same: true, problem: '', gap: '' };
  if (!different) {
    const why = data.find(({ problem }) => problem !== '')?.problem;
    const parts = [
      `the data of ${file} was not compared with its block device`,
      ...(why === undefined ? [] : [`(${why})`]),
    ];
    return { same: undefined, problem: '', gap: parts.join(' ') };
  }
  const { how, device, position, same: bytes } = different;
  const at = position === undefined ? '' : ` at byte ${position}`;
  const said = `DAX does not reach the bytes of the block device: of ${PAGE} bytes ${PAGES[how]}, ${device} has ${bytes}${at}`;
  return same
    ? { same: undefined, problem: '', gap: said }
    : { same: false, problem: said, gap: '' };
}

/** Bytes that the guest compares: a page of the only architecture that guests have. */
const PAGE = 4096;
