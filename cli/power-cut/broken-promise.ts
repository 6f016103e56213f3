import type { Lost } from './lost.js';

/**
 * What is asked of an image that survived (guest-scripts/programs/survivor), and what its answers say
 * of the claims. Pure.
 */

/** A promise that an image does not keep. */
export interface BrokenPromise {
  /** `data`: bytes are others; `size`; `blocks`: there are too few; `name`: it is not there, or still; `rename`: neither name is. */
  kind: 'data' | 'size' | 'blocks' | 'name' | 'rename';
  /** The call that promised it: `fsync`, `msync`, … */
  by: string;
  /** A path on the device. */
  name: string;
  /** Of data: the first byte that differs, and the byte after the last. */
  from?: number;
  to?: number;
  /** Where the first one is on the device; absent where that is nowhere. */
  position?: number;
  /** How many bytes of the promised part are others; the part itself. */
  wrongBytes?: number;
  part?: { from: number; to: number };
  /** What was lost there, where the answers name it; it is lost where nothing survives. */
  lost?: Lost;
  /** One clause without the full stop. */
  message: string;
}
