import type { Finding } from '../findings/finding.js';

/** Everything known about the power cuts of a unit; the verdict is made from it. */
export interface PowerCutRecord {
  /** Why the effect of the power cuts is unknown: one clause without the full stop. */
  problem?: string | undefined;
  /** What the plugin saw of the device, until the end of the test's script. */
  counters?: { stores: number; writeBacks: number; fences: number; requests: number } | undefined;
  /** The test's calls that promised something and could be judged. */
  promises: number;
  /**
   * Counts of the sync calls, if they were seen by the kernel and not reported by the test itself.
   */
  calls?: CallCounts | undefined;
  /** Cuts after promises, and at random moments. */
  cuts: { promised: number; moments: number };
  /**
   * Images that were mounted and examined, and images skipped as equal to one of them, with equal
   * claims.
   */
  images: number;
  repeated: number;
  /** Names, sizes and parts of files that were checked in these images. */
  asked: number;
  /** What the file system guarantees; undefined if its options cancel all guarantees. */
  guarantees?: string | undefined;
  findings: Finding[];
}

/** For a unit whose guest did not get that far: records that power was to be cut. */
export const NOT_CUT: PowerCutRecord = {
  problem: 'the power was not cut',
  promises: 0,
  cuts: { promised: 0, moments: 0 },
  images: 0,
  repeated: 0,
  asked: 0,
  findings: [],
};

/** Sync calls by any program, on either device, that returned 0. */
export interface CallCounts {
  seen: number;
  /**
   * Of these, calls without a promise: sync(2) on ext2, and calls on a file system that the test
   * made with other options than TEST_DEV's.
   */
  unpromised: number;
  /** Not judged, because the file was written or truncated during the call. */
  changed: number;
  /** Not judged: something was lost, and power was no longer cut there. This rules out a pass. */
  beyond: number;
}
