import type { PowerCutRecord } from '../power-cut/record.js';
import type { Expectation, UnitRecord } from './record.js';

/** What a pass under --power-cut takes besides: proof that something could have been lost, and was not. */

/** Why it proves nothing; undefined where it does, or where power was not cut. */
export function powerCutGap(
  { powerCut }: Pick<UnitRecord, 'powerCut'>,
  expected: Expectation,
): string | undefined {
  if (!expected.powerCut) return undefined;
  if (!powerCut) return 'the power was not cut';
  const { problem, counters, promises, images, asked } = powerCut;
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
  if (promises === 0) return 'the test told of no promise; those of -g power-cut do';
  if (images === 0) return 'no image that survived was looked at';
  if (asked === 0) return 'nothing of what survived was asked for';
  return undefined;
}

/** For the reason of a pass. */
export function whatSurvived({ promises, cuts, images }: PowerCutRecord): string {
  return `${promises} promises held over ${cuts.promised + cuts.moments} power cuts, in ${images} different images`;
}
