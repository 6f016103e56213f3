import type { PowerCutRecord } from '../record/power-cut.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { plural } from '../words.js';

/** What a pass under --power-cut takes besides: proof that something could have been lost, and was not. */

/** Why it proves nothing; undefined where it does, or where power was not cut. */
export function powerCutGap(
  { powerCut }: Pick<UnitRecord, 'powerCut'>,
  expected: Expectation,
): string | undefined {
  if (!expected.powerCut) return undefined;
  if (!powerCut) return 'the power was not cut';
  const { problem, counters, promises, calls, images, asked } = powerCut;
  if (problem) return `what survived power cuts cannot be told: ${problem}`;
  if (!powerCut.guarantees) {
    return 'with these mount options the file system guarantees nothing over a power cut';
  }
  if (!counters)
    return 'QEMU did not tell what was stored: the test made no marks, or not to its end';
  if (counters.stores === 0) return 'QEMU saw no store to the device';
  if (counters.writeBacks + counters.fences + counters.requests === 0) {
    return 'QEMU saw stores to the device, but no write-back, no fence and no request for a flush';
  }
  if (calls && calls.beyond > 0) {
    return `of ${calls.beyond} of ${calls.seen} sync calls it is not known whether what they promised was kept: something that was stored before them was lost, and there were too many to look whose it is`;
  }
  if (promises === 0) {
    return calls
      ? 'of no sync call it is known whether what it promised was kept'
      : 'the test told of no promise';
  }
  if (images === 0) return 'no image that survived was looked at';
  if (asked === 0 && !calls) return 'nothing of what survived was asked for';
  return undefined;
}

/** Why a power cut shows nothing of this test; undefined where it does. */
export function nothingPromised({ powerCut }: Pick<UnitRecord, 'powerCut'>): string | undefined {
  const { calls, problem, guarantees, cuts } = powerCut ?? {};
  if (!calls || problem || !guarantees || calls.seen > calls.unpromised) return undefined;
  const moments = cuts?.moments ?? 0;
  const found =
    moments > 0 ? `; nothing was found after ${plural(moments, 'power cut')} at other moments` : '';
  return calls.seen === 0
    ? `no sync call on the file systems was seen, so that nothing was promised${found}`
    : `of the ${calls.seen} sync calls that were seen none promises anything on this file system${found}`;
}

/** For the reason of a pass. */
export function whatSurvived({ promises, calls, cuts, images }: PowerCutRecord): string {
  const over = `over ${plural(cuts.promised + cuts.moments, 'power cut')}, in ${plural(images, 'different image')}`;
  if (!calls) return `${promises} promises held ${over}`;
  const { seen, unpromised, changed } = calls;
  const others = [
    unpromised > 0 && `${unpromised} promise nothing here`,
    changed > 0 && `${changed} were not judged, since files changed meanwhile`,
  ].filter(Boolean);
  const rest = others.length > 0 ? ` (${others.join('; ')})` : '';
  // Sizes and names can only be seen in images, of which there is one at some of the calls.
  return `the data of ${promises} of ${seen} sync calls was on the medium when they returned${rest}; sizes, names and checks held ${over}`;
}
