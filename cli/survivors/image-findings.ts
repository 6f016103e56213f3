import type { Finding } from '../findings/finding.js';
import { signature } from '../findings/signature.js';
import { findingOf, mergeFindings } from '../power-cut/findings.js';
import type { PmemRange } from '../power-cut/plugin.js';
import type { Symbolizer } from '../power-cut/symbols.js';
import type { Image } from './judge-image.js';
import type { Wrong } from './wrong-images.js';

/** Turns the problems of images into reported findings. */

export interface FindingsContext {
  /** The names of TEST_DEV and SCRATCH_DEV. */
  devices: readonly { name: string }[];
  /** How stores reach the medium. */
  flush: PmemRange['flush'];
  /** @param told whether the test announced its promises itself */
  symbolizer: (told: boolean) => Promise<Symbolizer>;
}

export async function findingsOf(
  wrong: readonly Wrong[],
  { devices, flush, symbolizer }: FindingsContext,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let made: Symbolizer | undefined;
  for (const one of wrong) {
    const { cut, state, lost, claims, device: number } = one.image;
    const device = devices[number]?.name ?? '';
    if ('defect' in one) {
      findings.push(ofDefect(one.image, one.defect, device));
      continue;
    }
    made ??= await symbolizer(!claims.call);
    const finding = await findingOf(one.broken, { cut: cut.cut, state, lost, flush }, device, made);
    if (finding.powerCut) finding.powerCut.images = one.images;
    findings.push(finding);
  }
  return mergeFindings(findings);
}

function ofDefect(
  { cut, state }: Image,
  { kind, message, signature: of }: Extract<Wrong, { defect: unknown }>['defect'],
  device: string,
): Finding {
  return {
    tool: 'power-cut',
    device,
    message: `the image of a power cut in which ${describeState(state)} ${message}`,
    signature: signature('power-cut', kind, of),
    severity: 'corruption',
    powerCut: { promise: kind, cut: cut.cut, state, images: 1 },
  };
}

function describeState(state: string): string {
  switch (state) {
    case 'nothing':
      return 'nothing unflushed survives';
    case 'everything':
      return 'everything survives';
    default:
      return 'some of the unflushed data survives';
  }
}
