/** Bytes of TEST_DEV that the kernel refuses to read while the test runs (guest-scripts/lib/media.sh). */
export interface PoisonRange {
  offset: number;
  length: number;
}

/** Bytes: the kernel marks whole sectors. */
export const POISON_STEP = 512;

/** `1048576+4096`, as the option and the guest have it. */
export function poisonText({ offset, length }: PoisonRange): string {
  return `${offset}+${length}`;
}

/** The number of bytes of the range that these marks cover. They do not overlap. */
export function markedBytes(marks: string, { offset, length }: PoisonRange): number {
  const overlaps = marks.split('\n').map((line) => {
    const [first = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    const from = Math.max(offset, first * POISON_STEP);
    return Math.max(0, Math.min(offset + length, (first + count) * POISON_STEP) - from);
  });
  return overlaps.reduce((sum, bytes) => sum + (bytes || 0), 0);
}

/**
 * Whether these marks, lines of the first sector and their number, cover the range. The kernel searches
 * them as a sorted list: where they are in another order, it finds none.
 */
export function isMarked(marks: string, { offset, length }: PoisonRange): boolean {
  let reached = offset;
  let last = -1;
  for (const line of marks.split('\n').filter(Boolean)) {
    const [first = Number.NaN, count = 0] = line.trim().split(/\s+/).map(Number);
    if (!(first > last)) return false;
    last = first;
    const end = (first + count) * POISON_STEP;
    if (first * POISON_STEP <= reached && end > reached) reached = end;
  }
  return reached >= offset + length;
}
