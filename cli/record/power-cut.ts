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
