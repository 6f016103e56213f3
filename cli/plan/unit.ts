import type { FileSystem } from '../file-systems.js';
import type { DeviceOption, DeviceVariable } from '../guest/additional-devices.js';
import type { Layers } from '../guest/layers.js';
import type { MachineShape, PmemKind } from '../guest/machine.js';
import type { PackageSources } from '../guest/packages.js';
import type { PoisonRange } from '../guest/poison.js';
import type { BuildOptions } from '../kernel/kernel.js';
import type { TestFacts, Tree } from '../suite/xfstests/tree.js';
import type { UserTest } from '../user-test/user-test.js';
import { BASE, type Variant } from '../variant/variant.js';

/** A suite, with the properties that decide how its tests run. */
export type RequestedSuite =
  | { name: 'builtin'; version: string }
  /** The version is empty until the tree is packed. */
  | {
      name: 'xfstests';
      version: string;
      tree: Tree;
      facts: ReadonlyMap<string, TestFacts>;
    };

/** When power is cut: after each promise, and at random moments. */
export interface PowerCutPlan {
  /** The most power cuts at random moments, on top of one after each promise. */
  cuts: number;
  /** For each cut, the number of images with random parts of the unflushed data. */
  states: number;
}

/** The checked options of `run`. Nothing has been looked up yet. */
export interface RunRequest extends Layers {
  fs: FileSystem;
  /** Tests of the suite, in the order they run. */
  tests: string[];
  suite: RequestedSuite;
  /** Those of `tests` that are files of the user's, by their words. */
  userTests?: ReadonlyMap<string, UserTest> | undefined;
  kernel: string;
  /** In a comparison of several kernels: the word of `--kernel`, by which results name it. */
  askedKernel?: string | undefined;
  /** Build options, for a kernel that is built from source. */
  build?: BuildOptions | undefined;
  /** A program, or debian:SUITE; undefined for this machine's QEMU. */
  qemu?: string | undefined;
  /** debian:SUITE or a directory; undefined for this machine's programs. */
  userland?: string | undefined;
  /** Where packages come from that are not the userland's. */
  packages?: PackageSources | undefined;
  /** The changes to the kernel's source. */
  variant: Variant;
  pmem: PmemKind;
  /** Bytes of each device; undefined for the default of the file system. */
  size?: number | undefined;
  mkfsOptions?: string | undefined;
  mountOptions?: string | undefined;
  /** The version of mkfs.xfs in the guest, for xfs; undefined: not known. */
  xfsprogs?: string | undefined;
  /** Bytes of the guest's memory; undefined: what tests usually need. */
  memory?: number | undefined;
  /** Seconds for each test. */
  timeout: number;
  /** Further parameters of the guest's kernel. */
  append?: string | undefined;
  /** Kernel settings, `KEY=VALUE`. */
  sysctl?: readonly string[] | undefined;
  /** Seconds after which a user's test is ended, and has done its work. */
  runFor?: number | undefined;
  repeat: number;
  /** Whether to stop at the first failure. Each attempt then runs all tests. */
  untilFail: boolean;
  /** Seconds to repeat in: no attempt starts after that. */
  soak?: number | undefined;
  /** The seed of the first attempt: see `Unit`. */
  seed: number;
  cpus: number;
  /** undefined if power is not cut. */
  powerCut?: PowerCutPlan | undefined;
  /** Whether to record the execution, and to keep the records of failures. */
  record?: true | undefined;
  /** Whether to run the control: mounted without DAX, with proof that DAX is off. */
  control: boolean;
  /** What of TEST_DEV is poisoned during a test. */
  poison?: readonly PoisonRange[] | undefined;
  /** Options that add devices. */
  devices?: readonly DeviceOption[] | undefined;
  /** Names of options with values from daxrepro.yaml. Replay commands spell them out. */
  configured?: readonly string[];
}

/** One test in one guest, with one verdict. All its options are decided. */
export interface Unit {
  fs: FileSystem;
  test: string;
  suite: { name: RequestedSuite['name'] | 'user'; version: string };
  /** A file of the user's that runs as the test. */
  userTest?: UserTest | undefined;
  /** The time limit is the normal end of the test: it never ends by itself. */
  endsByTime?: true | undefined;
  /** For a test of xfstests. */
  facts?: TestFacts | undefined;
  kernelSpec: string;
  /** As in the request. */
  askedKernel?: string | undefined;
  variant: string;
  /** From 1. */
  attempt: number;
  /** 32 bits: seeds the guest's random numbers. An attempt has the same seed in all variants. */
  seed: number;
  shape: Omit<MachineShape, 'accelerator'>;
  /** The options for mkfs; the user's come last. */
  mkfsOptions: string;
  /** The options for mount, comma-separated. */
  mountOptions: string;
  timeout: number;
  /** Kernel settings, `KEY=VALUE`. */
  sysctl?: readonly string[] | undefined;
  control: boolean;
  /** What of TEST_DEV is poisoned during the test. */
  poison?: readonly PoisonRange[] | undefined;
  /** The first devices of `shape.additional`, in their order. Those of a stack have no variables. */
  devices?: readonly DeviceVariable[] | undefined;
  /** An interactive session or command instead of a test. */
  session?: SessionKind | undefined;
  powerCut?: PowerCutPlan | undefined;
}

export type SessionKind = 'file-system' | 'image';

/**
 * A unit's name for people: `ext2 generic/002`, `ext2 generic/002 [v2]` in a variant, and
 * `ext2 generic/002 [debian:6.1 v2]` on one of several kernels.
 */
export function unitName({
  fs,
  test,
  variant,
  askedKernel,
}: Pick<Unit, 'test' | 'variant' | 'askedKernel'> & { fs: string }) {
  const column = [askedKernel, variant === BASE.name ? undefined : variant].filter(Boolean);
  return `${fs} ${test}${column.length === 0 ? '' : ` [${column.join(' ')}]`}`;
}
