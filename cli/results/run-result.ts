import type { CpuSupply } from '../cpu-supply.js';
import type { Explanation } from '../evidence/explanation.js';
import type { Unwritten } from '../evidence/unwritten.js';
import type { Finding, InodeFacts } from '../findings/finding.js';
import type { OmittedFindings } from '../findings/fsck-report.js';
import type { PmemKind } from '../guest/machine.js';
import type { KeptImage } from '../launch/images.js';
import type { PowerCutRecord } from '../record/power-cut.js';
import type { Proportion } from '../statistics/proportion.js';
import type { UnitExpectation } from '../suite/expected.js';
import { VERDICTS, type Verdict, type XfstestsOutcome } from '../verdict/judge.js';

/** A unit's outcome, as the contract's JSON has it. What is not in the contract is added to it. */
export interface UnitResult {
  fs: string;
  test: string;
  suite: { name: string; version: string };
  kernel: { spec: string; release: string; id: string };
  variant: string;
  pmem: PmemKind;
  accel: string;
  attempt: number;
  /** Of this attempt: `--seed`. */
  seed: number;
  verdict: Verdict;
  reason: string;
  /** What became of a test of xfstests, in finer words than the verdict's. */
  outcome?: XfstestsOutcome | undefined;
  /** Where the file of --expected says that it fails: why, and whether it did. */
  expectedFailure?: UnitExpectation | undefined;
  /** True where the control without DAX was asked for. */
  control: boolean;
  dax: {
    proven: boolean;
    driver: string;
    mountOptions: string;
    statxBefore: boolean | null;
    statxAfter: boolean | null;
    /** The file system's module as the guest's kernel had it; null where it is built in. */
    module: { origin: 'packaged' | 'built'; sha256: string; buildId: string } | null;
    /** Every look at a mount: what it showed, and why it proves nothing, if so. */
    looks: {
      when: string;
      device: string;
      driver: string;
      mountOptions: string;
      statxDax: boolean | null;
      problems: string[];
      messages: string[];
    }[];
  };
  /** Where power was to be cut, and only there: what was seen and asked. */
  powerCut?: Omit<PowerCutRecord, 'findings'> | undefined;
  findings: Finding[];
  /** How many more findings there are of signatures that have too many to be listed. */
  omitted?: OmittedFindings[] | undefined;
  /** What an unmount left unwritten; absent where there is nothing to explain. */
  unwritten?: Unwritten | undefined;
  /** What the medium shows of the inodes that checks spoke of, and of those left unwritten. */
  inodes?: InodeFacts[] | undefined;
  /** Of a failing unit with `--explain`: what was learned by running it again. */
  explanation?: Explanation | undefined;
  /** Of the devices on which something was found, before any repair; paths are as in `artifacts`. */
  images?: KeptImage[] | undefined;
  /** What the kernel said before the unit began: not held against it. */
  bootFindings: Finding[];
  /** How the guest ended: `finished`, `panic`, `hang` … */
  ending: string;
  /** What processor time the host gave the guest; absent where no guest started. */
  cpu?: (CpuSupply & { longestStarved?: CpuSupply & { at: string } }) | undefined;
  durationSeconds: number;
  /** Of these, until the guest was ready for the unit. */
  bootSeconds: number | null;
  /** Whether the guest was a clone of a checkpoint, or booted. */
  cloned: boolean;
  /** Where it shared its guest with other tests (`--together`). */
  together?:
    | {
        /** The guest's number in the run, from 1. */
        guest: number;
        /** Its place among the guest's tests, from 1. */
        position: number;
        /** The tests that the guest ran before it. */
        after: string[];
        /** The command that runs it in a guest of its own; `replay` has those before it too. */
        alone: string;
      }
    | undefined;
  /** Paths, relative to the run's directory. */
  artifacts: Record<string, string>;
  replay: string;
}

export interface RunResult {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  command: string[];
  verdict: Verdict;
  units: UnitResult[];
  /** Counts and failure rates, of tests with more than one attempt. */
  repeats: Repeats[];
  host: { kernel: string; qemu: string; node: string; cpus: number };
  /** Versions of what made and checked the file systems: the guest gets the host's programs. */
  tools?: { e2fsprogs?: string; xfsprogs?: string };
  started: string;
  durationSeconds: number;
  /** The run's directory. */
  directory: string;
}

/** The worst of the units' verdicts; of none, `error`. */
export function worstVerdict(units: readonly Pick<UnitResult, 'verdict'>[]): Verdict {
  const worst = Math.max(...units.map(({ verdict }) => VERDICTS.indexOf(verdict)));
  return VERDICTS[worst] ?? 'error';
}

/** The contract's exit code of `run`. A failure that was expected is no news. */
export function exitCodeOfUnits(
  units: readonly Pick<UnitResult, 'verdict' | 'expectedFailure'>[],
): 0 | 1 | 3 {
  if (units.some(({ verdict, expectedFailure }) => verdict === 'fail' && !expectedFailure?.held))
    return 1;
  const passed = units.some(({ verdict }) => verdict === 'pass' || verdict === 'fail');
  const unknown = units.some(({ verdict }) => verdict === 'invalid' || verdict === 'error');
  return passed && !unknown ? 0 : 3;
}

/** What the attempts at one test came to. They are counted, never merged into one verdict. */
export interface Repeats {
  fs: string;
  test: string;
  variant: string;
  pmem: string;
  powerCut: boolean;
  /** How many attempts had each verdict; those that none had are left out. */
  counts: Partial<Record<Verdict, number>>;
  /** Of the attempts that passed or failed: the rest says nothing. undefined where there is none. */
  failures: Proportion | undefined;
}
