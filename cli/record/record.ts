import type { CpuSupply } from '../cpu-supply.js';
import type { Finding } from '../findings/finding.js';
import type { FsckReport } from '../findings/fsck-report.js';
import type { DeviceVariable } from '../guest/additional-devices.js';
import type { Ending } from '../guest/guest.js';
import type { Layers } from '../guest/layers.js';
import type { PmemKind } from '../guest/machine.js';
import type { PoisonRange } from '../guest/poison.js';
import type { CheckEvent, GuestEvent, ReadyEvent } from '../guest/protocol.js';
import type { SessionKind } from '../plan/unit.js';
import type { TestFacts } from '../suite/xfstests/tree.js';
import type { PowerCutRecord } from './power-cut.js';
import type { UnmountLog } from './unmounts.js';
import type { WriteBackTrace } from './write-back.js';

/** Everything known about a unit after its guest has ended. Verdicts are made from this alone. */
export interface UnitRecord {
  ending: Ending;
  /** What the guest said about itself; undefined if it was never ready. */
  ready?: ReadyEvent | undefined;
  /** The guest had mounted its file system before it was cloned. */
  clonedMounted?: boolean | undefined;
  /** In the order they came, without the contents of files. */
  events: GuestEvent[];
  /** The kernel's messages before the guest was ready, and since. */
  bootFindings: Finding[];
  kernelFindings: Finding[];
  /** The parsed check log of each device. */
  checks: Partial<Record<'test' | 'scratch', FsckReport>>;
  /** The checks by xfstests' own `check`, in order; undefined if their log could not be read. */
  suiteChecks?: { event: CheckEvent; report: FsckReport | undefined }[];
  /** What the witness module saw; undefined if it was not asked or is missing. */
  unmounts?: UnmountLog | undefined;
  /** What write-back did; undefined if it was not traced, or the guest could not report it. */
  writeBack?: WriteBackTrace | undefined;
  /** Present if power is cut. */
  powerCut?: PowerCutRecord | undefined;
  /** The processor time that the host gave the guest; undefined if it never started. */
  cpu?: CpuRecord | undefined;
}

export interface CpuRecord {
  /** Over the unit. */
  unit: CpuSupply;
  /** During the test, if it ran. */
  test?: CpuSupply | undefined;
  /** The longest period in which the guest was mostly starved, by the host's clock (ISO 8601). */
  longestStarved?: (CpuSupply & { at: string }) | undefined;
}

/** The requirements that the guest must meet. */
export interface Expectation extends Layers {
  fs: string;
  /** `uname -r`. */
  release: string;
  control: boolean;
  /** How persistent memory is emulated; its drivers have to be on the way to the device. */
  pmem?: PmemKind | undefined;
  /** What of TEST_DEV is poisoned during the test. */
  poison?: readonly PoisonRange[] | undefined;
  /** Variables of the further devices. */
  devices?: readonly DeviceVariable[] | undefined;
  /** Whether power is cut. */
  powerCut?: boolean | undefined;
  /** For an xfstests test: its id, and what its tree says about it. */
  xfstests?: ({ test: string } & Partial<TestFacts>) | undefined;
  /** Whether the test is a file of the user's. */
  userTest?: boolean | undefined;
  /** Set for a session, which has no test. */
  session?: SessionKind | undefined;
  /** The file system's module; undefined if it is built in or the kernel chooses it. */
  module?: { sha256: string; buildId: string; sent: boolean } | undefined;
}
