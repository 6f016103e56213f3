import type { CutFacts, Finding } from '../findings/finding.js';
import { signature } from '../findings/signature.js';
import type { BrokenPromise } from './broken-promise.js';
import { type Lost, runAt } from './lost.js';
import type { PmemRange } from './plugin.js';
import type { Symbolizer } from './symbols.js';

/** Turns promises that an image does not keep into findings. */

/** An image that was examined, and how the power was cut. */
export interface CutImage {
  cut: number;
  state: string;
  /** Runs of lines that were not sure to survive the cut. */
  lost: readonly Lost[];
  /** What brings stores to the medium. */
  flush: PmemRange['flush'];
}

/**
 * The loss behind a broken promise: the run of lines that contains the first wrong byte, or the longest run if
 * the place of that byte is unknown.
 */
export function lostThere({ lost, state }: CutImage, broken: BrokenPromise): Lost | undefined {
  if (state === 'everything') return undefined;
  const { position } = broken;
  if (position === undefined) {
    return [...lost].sort((a, b) => b.lines - a.lines)[0];
  }
  return runAt(lost, position);
}

/**
 * How it was lost. `some-lines-…`: other lines of the same part survived, so there was a write-back that left
 * these out.
 */
function kindOfLoss(
  lost: Lost | undefined,
  flush: PmemRange['flush'],
  { part, wrongBytes }: BrokenPromise,
): string {
  if (!lost) return 'not-stored';
  if (flush === 'requests') return 'no-flush-request';
  if (lost.state === 'pending') return 'not-fenced';
  const some = part && wrongBytes !== undefined && wrongBytes < part.to - part.from;
  return some ? 'some-lines-not-written-back' : 'not-written-back';
}

const LOSSES: Record<string, string> = {
  'not-stored': 'nothing of it was on its way to the medium',
  'no-flush-request': 'the device was not asked for a flush since it was stored',
  'not-fenced': 'it was written back, and no fence came after that',
  'not-written-back': 'it was not written back since it was stored',
  'some-lines-not-written-back': 'some lines of it were not written back since they were stored',
};

export async function findingOf(
  broken: BrokenPromise,
  image: CutImage,
  device: string,
  symbolizer: Symbolizer,
): Promise<Finding> {
  const lost = broken.lost ?? lostThere(image, broken);
  const loss = kindOfLoss(lost, image.flush, broken);
  const storedBy = lost?.store ? await symbolizer.place(lost.store) : undefined;
  const writtenBackBy = lost?.writeBack ? await symbolizer.place(lost.writeBack) : null;
  const cutFacts: CutFacts = {
    promise: broken.by,
    from: broken.from,
    to: broken.to,
    cut: image.cut,
    state: broken.lost ? 'nothing' : image.state,
    images: 1,
    ...(lost ? { storedBy } : {}),
    // A request flushes the whole device, and no known instruction sends it.
    ...(lost && image.flush === 'instructions' ? { writtenBackBy } : {}),
  };
  return {
    tool: 'power-cut',
    device,
    message: `${broken.message}; ${promised(broken)}: ${LOSSES[loss]}`,
    signature: signature('power-cut', broken.kind, broken.by, storedBy?.function, loss),
    severity: 'corruption',
    path: `/${broken.name}`,
    ...(storedBy?.function === undefined ? {} : { function: storedBy.function }),
    powerCut: cutFacts,
  };
}

function promised({ by }: BrokenPromise): string {
  switch (by) {
    case 'none':
      return 'nothing gave it this name';
    case 'rename':
      return 'a rename promises one of both';
    case 'fsync-directory':
      return 'promised by fsync of the directory';
    default:
      return `promised by ${by}`;
  }
}

/** Merges findings that say the same into the first of them, with their number. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.signature} ${finding.device} ${finding.path}`;
    const known = first.get(key)?.powerCut;
    if (known) known.images += finding.powerCut?.images ?? 1;
    else first.set(key, finding);
  }
  return [...first.values()];
}
