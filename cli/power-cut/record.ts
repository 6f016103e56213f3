import type { Finding } from '../findings/finding.js';

/** What is known of a unit whose guest's power was cut; verdicts are made from this. */
export interface PowerCutRecord {
  /** Why it cannot be told what survived, in one clause without the full stop. */
  problem?: string | undefined;
  /** What the plugin saw of the device, until the script's end. */
  counters?: { stores: number; writeBacks: number; fences: number; requests: number } | undefined;
  /** Calls of the test that promised something, and of which it is known whether that was kept. */
  promises: number;
  /** Where the test's sync calls were seen, and not told by itself. */
  calls?: CallCounts | undefined;
  /** Cuts after promises, and at drawn moments. */
  cuts: { promised: number; moments: number };
  /** Images that were mounted and asked; those that were the same, with the same claims. */
  images: number;
  repeated: number;
  /** Names, sizes and parts of files that these images were asked for. */
  asked: number;
  /** What the file system owes; undefined where its options take all guarantees back. */
  guarantees?: string | undefined;
  findings: Finding[];
}

/** Of a unit whose guest did not come so far: it says that it was to be cut. */
export const NOT_CUT: PowerCutRecord = {
  problem: 'the power was not cut',
  promises: 0,
  cuts: { promised: 0, moments: 0 },
  images: 0,
  repeated: 0,
  asked: 0,
  findings: [],
};

/** Sync calls on either device that returned 0, by any program. */
export interface CallCounts {
  seen: number;
  /**
   * Of these, what the file system does not promise: sync(2) on ext2; what a file system promises that the
   * test made otherwise than TEST_DEV's.
   */
  unpromised: number;
  /** Not judged, since the file was written to or cut short meanwhile. */
  changed: number;
  /** Not judged, since something was lost, and power was not cut there any more: no pass then. */
  beyond: number;
}

/** Of a broken promise: what the contract's finding has no field for. */
export interface CutFacts {
  /** The call that promised it: `fsync`, `msync`, … */
  promise: string;
  /** Bytes of the file that are not what was promised: the first, and the one after the last. */
  from?: number | undefined;
  to?: number | undefined;
  /** How the power was cut when it was first seen. */
  cut: number;
  state: string;
  /** In how many of the images that were asked it is broken. */
  images: number;
  /** The last store to the first line that was lost. */
  storedBy?: CodePlace | undefined;
  /** The last write-back of that line before the cut; null: there was none; absent where requests do it. */
  writtenBackBy?: CodePlace | null | undefined;
}

export interface CodePlace {
  /** Hexadecimal. */
  address: string;
  /** `store_bytes`, `memcpy_flushcache`; absent where it has no name that is known. */
  function?: string | undefined;
  /** `kernel`, a module's name, or the program's. */
  in: string;
  cpu: number;
}
