import type { CpuSupply } from '../cpu-supply.js';
import type { Explanation } from '../evidence/explanation.js';
import type { Unwritten } from '../evidence/unwritten.js';
import type { Finding, InodeFacts } from '../findings/finding.js';
import type { OmittedFindings } from '../findings/fsck-report.js';
import type { Layers } from '../guest/layers.js';
import type { PmemKind } from '../guest/machine.js';
import type { PoisonRange } from '../guest/poison.js';
import type { DataLook, Layer } from '../guest/protocol.js';
import type { KeptImage } from '../launch/images.js';
import type { PowerCutRecord } from '../record/power-cut.js';
import type { Proportion } from '../statistics/proportion.js';
import type { UnitExpectation } from '../suite/expected.js';
import { VERDICTS, type Verdict, type XfstestsOutcome } from '../verdict/judge.js';

/** A device that an option such as --log-device adds. */
export interface AdditionalDevice {
  /** Of xfstests: SCRATCH_LOGDEV. */
  variable: string;
  /** log: a journal. data: the data of files. record: what dm-log-writes saw. */
  use: 'log' | 'data' | 'record';
  /** Whether files on it were proven to use DAX; null where files have no data on it. */
  dax: boolean | null;
}

/** The result of a unit: the contract's JSON, with additional fields. */
export interface UnitResult extends Layers {
  fs: string;
  test: string;
  suite: { name: string; version: string };
  /** `asked`: the word of `--kernel`, in a comparison of several kernels. */
  kernel: { spec: string; release: string; id: string; asked?: string | undefined };
  variant: string;
  pmem: PmemKind;
  /** What of TEST_DEV was to be poisoned during the test. */
  poison?: readonly PoisonRange[] | undefined;
  accel: string;
  attempt: number;
  /** The seed of this attempt (`--seed`). */
  seed: number;
  verdict: Verdict;
  reason: string;
  /** The outcome of a test of xfstests, in more detail than the verdict. */
  outcome?: XfstestsOutcome | undefined;
  /** If the file of --expected says that it fails: the reason, and whether it failed so. */
  expectedFailure?: UnitExpectation | undefined;
  /** True if the control without DAX was requested. */
  control: boolean;
  dax: {
    proven: boolean;
    driver: string;
    mountOptions: string;
    statxBefore: boolean | null;
    statxAfter: boolean | null;
    /** The file system's module in the guest; null if it is built into the kernel. */
    module: { origin: 'packaged' | 'built'; sha256: string; buildId: string } | null;
    /** Every check of a mount: what it showed and, if it proves nothing, why. */
    looks: {
      when: string;
      device: string;
      /** The drivers on the way to the device, as `DRIVER:DEVICE`. */
      path?: string;
      /** What the device is made of, from top to bottom. */
      layers?: Layer[];
      driver: string;
      mountOptions: string;
      statxDax: boolean | null;
      /** Whether DAX reaches the bytes of the block device; null if nothing was compared. */
      dataSame?: boolean | null;
      /** The pages that were compared, of new files and of those on the realtime device. */
      data?: DataLook[];
      problems: string[];
      messages: string[];
    }[];
  };
  /** Devices besides TEST_DEV and SCRATCH_DEV. */
  devices?: AdditionalDevice[] | undefined;
  /** With power cuts only: what was seen, and what was examined. */
  powerCut?: Omit<PowerCutRecord, 'findings'> | undefined;
  findings: Finding[];
  /** The number of unlisted findings, for signatures with too many findings to list. */
  omitted?: OmittedFindings[] | undefined;
  /** Pages that an unmount left unwritten; absent if there is nothing to explain. */
  unwritten?: Unwritten | undefined;
  /** The inodes on the medium that checks mention, and those left unwritten. */
  inodes?: InodeFacts[] | undefined;
  /** For a failing unit with `--explain`: the results of running it again. */
  explanation?: Explanation | undefined;
  /** Images of the devices with findings, before any repair; paths are as in `artifacts`. */
  images?: KeptImage[] | undefined;
  /** Findings in the kernel log before the unit began. They do not count against it. */
  bootFindings: Finding[];
  /** How the guest ended: `finished`, `panic`, `hang` … */
  ending: string;
  /** The processor time that the host gave the guest; absent if no guest started. */
  cpu?: (CpuSupply & { longestStarved?: CpuSupply & { at: string } }) | undefined;
  durationSeconds: number;
  /** The seconds until the guest was ready for the unit. */
  bootSeconds: number | null;
  /** Whether the guest was a clone of a checkpoint, or booted. */
  cloned: boolean;
  /** The clone began with its file system mounted (cli/guest/mounted-guest.ts). */
  clonedMounted?: true | undefined;
  /** If the test shared its guest with others (`--together`). */
  together?:
    | {
        /** The guest's number in the run, from 1. */
        guest: number;
        /** The position among the guest's tests, from 1. */
        position: number;
        /** The tests that the guest ran before it. */
        after: string[];
        /** The command that runs only this test; `replay` includes the tests before it. */
        alone: string;
      }
    | undefined;
  /** The machine that ran it, if the run was spread over several. */
  machine?: UnitMachine | undefined;
  /** Paths, relative to the run's directory. */
  artifacts: Record<string, string>;
  replay: string;
}

/** A machine that ran units of a planned run. */
export interface UnitMachine {
  /** Its host name. */
  host: string;
  /** The release of its own kernel. */
  kernel: string;
  /** The first line of `qemu-system-x86_64 --version`. */
  qemu: string;
  node: string;
  cpus: number;
}

export interface RunResult {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  verdict: Verdict;
  units: UnitResult[];
  /** Counts and failure rates of tests with more than one attempt. */
  repeats: Repeats[];
  host: { kernel: string; qemu: string; node: string; cpus: number };
  /** Versions of the host's tools, which the guest uses to make and check file systems. */
  tools?: {
    e2fsprogs?: string;
    xfsprogs?: string;
    /** Where they come from, as `--userland` names it, if not from this machine. */
    userland?: string;
    /** Where a package comes from that is not the userland's: `debian:sid=7.2.0-1`, or a tree with its hash. */
    e2fsprogsFrom?: string;
    xfsprogsFrom?: string;
  };
  started: string;
  durationSeconds: number;
  /** The run's directory. */
  directory: string;
}

/** The worst verdict of the units; `error` if there are none. */
export function worstVerdict(units: readonly Pick<UnitResult, 'verdict'>[]): Verdict {
  const worst = Math.max(...units.map(({ verdict }) => VERDICTS.indexOf(verdict)));
  return VERDICTS[worst] ?? 'error';
}

/** The contract's exit code of `run`. Expected failures do not count. */
export function exitCodeOfUnits(
  units: readonly Pick<UnitResult, 'verdict' | 'expectedFailure'>[],
): 0 | 1 | 3 {
  if (units.some(({ verdict, expectedFailure }) => verdict === 'fail' && !expectedFailure?.held))
    return 1;
  const passed = units.some(({ verdict }) => verdict === 'pass' || verdict === 'fail');
  const unknown = units.some(({ verdict }) => verdict === 'invalid' || verdict === 'error');
  return passed && !unknown ? 0 : 3;
}

/** The results of all attempts at one test. They are counted, never merged into one verdict. */
export interface Repeats {
  fs: string;
  test: string;
  variant: string;
  pmem: string;
  powerCut: boolean;
  /** In a comparison of several kernels: its word of `--kernel`. */
  kernel?: string | undefined;
  /** The number of attempts with each verdict; verdicts without attempts are left out. */
  counts: Partial<Record<Verdict, number>>;
  /** The failure rate among attempts that passed or failed; undefined if there are none. */
  failures: Proportion | undefined;
}
