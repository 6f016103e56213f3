import type { Lost } from './lost.js';

/**
 * The questions about an image that survived (guest-scripts/programs/survivor), and what the answers say
 * about the claims. Pure.
 */

/** A promise that an image does not keep. */
export interface BrokenPromise {
  /** `data`: bytes differ; `blocks`: too few; `name`: missing, or still there; `rename`: neither name exists. */
  kind: 'data' | 'size' | 'blocks' | 'name' | 'rename';
  /** The call that promised it: `fsync`, `msync`, … */
  by: string;
  /** A path on the device. */
  name: string;
  /** For data: the first byte that differs, and the byte after the last. */
  from?: number;
  to?: number;
  /** The position of the first one on the device; absent if it has none. */
  position?: number;
  /** How many bytes of the promised part differ, and the part itself. */
  wrongBytes?: number;
  part?: { from: number; to: number };
  /** What was lost there, if the answers name it. The image "nothing" lacks it. */
  lost?: Lost;
  /** One clause without the full stop. */
  message: string;
}
