import type { PowerCutRecord } from '../record/power-cut.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { plural } from '../words.js';

/**
 * What a pass under --power-cut also needs: proof that something could have been lost, and was not.
 */

/** Why it proves nothing; undefined if it does, or if power was not cut. */
export function powerCutGap(
  { powerCut }: Pick<UnitRecord, 'powerCut'>,
  expected: Expectation,
): string | undefined {
  if (!expected.powerCut) return undefined;
  if (!powerCut) return 'the power was not cut';
  const { problem, counters, promises, calls, images, asked } = powerCut;
  if (problem) return `the effect of the power cuts is unknown: ${problem}`;
  if (!powerCut.guarantees) {
    return 'with these mount options, the file system guarantees nothing after a power cut';
  }
  if (!counters)
    return 'QEMU did not report the stores, because the mark at the start or end of the test is missing';
  if (counters.stores === 0) return 'QEMU saw no stores to the device';
  if (counters.writeBacks + counters.fences + counters.requests === 0) {
    return 'QEMU saw stores to the device, but no write-back, fence or flush request';
  }
  if (calls && calls.beyond > 0) {
    return `${calls.beyond} of ${calls.seen} sync calls could not be judged: data stored before them was lost, and it was too much to find out which files it belongs to`;
  }
  if (promises === 0) {
    return calls ? 'none of the sync calls could be judged' : 'the test reported no promises';
  }
  if (images === 0) return 'no image was examined after a power cut';
  if (asked === 0 && !calls) return 'the images were not checked for any name, size or data';
  return undefined;
}

/** Why a power cut shows nothing about this test; undefined if it does. */
export function nothingPromised({ powerCut }: Pick<UnitRecord, 'powerCut'>): string | undefined {
  const { calls, problem, guarantees, cuts } = powerCut ?? {};
  if (!calls || problem || !guarantees || calls.seen > calls.unpromised) return undefined;
  const moments = cuts?.moments ?? 0;
  const found =
    moments > 0 ? `; ${plural(moments, 'power cut')} at other moments found no problems` : '';
  return calls.seen === 0
    ? `no sync call on the file systems was seen, so nothing was promised${found}`
    : `none of the ${calls.seen} sync calls promises anything on this file system${found}`;
}

/** For the reason of a pass. */
export function whatSurvived({ promises, calls, cuts, images }: PowerCutRecord): string {
  const over = `after ${plural(cuts.promised + cuts.moments, 'power cut')} (${plural(images, 'different image')})`;
  if (!calls) return `${plural(promises, 'promise')} kept ${over}`;
  const { seen, unpromised, changed } = calls;
  const others = [
    unpromised > 0 && `${unpromised} promise nothing on this file system`,
    changed > 0 && `${changed} not judged because files changed meanwhile`,
  ].filter(Boolean);
  const rest = others.length > 0 ? ` (${others.join('; ')})` : '';
  // Sizes and names can only be seen in images, and only some of the calls have one.
  return `${promises} of ${seen} sync calls had their data on the medium when they returned${rest}; sizes, names and file-system checks were correct ${over}`;
}
