import type { CpuSupply } from '../cpu-supply.js';
import type { Finding } from '../findings/finding.js';
import type { FsckReport } from '../findings/fsck-report.js';
import type { Ending } from '../guest/guest.js';
import type { CheckEvent, GuestEvent, ReadyEvent } from '../guest/protocol.js';
import type { SessionKind } from '../plan/unit.js';
import type { TestFacts } from '../suite/xfstests/tree.js';
import type { PowerCutRecord } from './power-cut.js';
import type { UnmountLog } from './unmounts.js';
import type { WriteBackTrace } from './write-back.js';

/** All that is known of a unit when its guest is over; verdicts are made from this and nothing else. */
export interface UnitRecord {
  ending: Ending;
  /** What the guest said of itself; undefined where it never was ready. */
  ready?: ReadyEvent | undefined;
  /** In the order they came, without the contents of files. */
  events: GuestEvent[];
  /** What the kernel said before the guest was ready, and since. */
  bootFindings: Finding[];
  kernelFindings: Finding[];
  /** The check's log of each device, read. */
  checks: Partial<Record<'test' | 'scratch', FsckReport>>;
  /** Those that xfstests' `check` made itself, in their order; undefined: their log was none. */
  suiteChecks?: { event: CheckEvent; report: FsckReport | undefined }[];
  /** What the kernel's witness saw; undefined where it was not asked, or is not there. */
  unmounts?: UnmountLog | undefined;
  /** What write-back did; undefined where it was not traced, or the guest never came to say. */
  writeBack?: WriteBackTrace | undefined;
  /** Where power was cut. */
  powerCut?: PowerCutRecord | undefined;
  /** What processor time the host gave the guest; undefined where it never started. */
  cpu?: CpuRecord | undefined;
}

export interface CpuRecord {
  /** Over the unit. */
  unit: CpuSupply;
  /** Over its test, where that ran. */
  test?: CpuSupply | undefined;
  /** The longest time in which the guest was starved more than not, by the host's clock (ISO 8601). */
  longestStarved?: (CpuSupply & { at: string }) | undefined;
}

/** What the guest had to be. */
export interface Expectation {
  fs: string;
  /** `uname -r`. */
  release: string;
  control: boolean;
  /** Whether power is cut. */
  powerCut?: boolean | undefined;
  /** Where the test is one of xfstests: its id, and what its tree tells of it. */
  xfstests?: ({ test: string } & Partial<TestFacts>) | undefined;
  /** Where there is no test but a session. */
  session?: SessionKind | undefined;
  /** The file system's module; undefined where it is built in or the kernel's own business. */
  module?: { sha256: string; buildId: string; sent: boolean } | undefined;
}
