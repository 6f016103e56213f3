import type { FileSystem } from '../file-systems.js';
import type { MachineShape, PmemKind } from '../guest/machine.js';
import type { BuildOptions } from '../kernel/kernel.js';
import type { TestFacts, Tree } from '../suite/xfstests/tree.js';
import { BASE, type Variant } from '../variant/variant.js';

/** A suite by its name, and what of it decides how its tests are run. */
export type RequestedSuite =
  | { name: 'builtin'; version: string }
  /** The version is known when the tree is packed; until then it is empty. */
  | {
      name: 'xfstests';
      version: string;
      tree: Tree;
      facts: ReadonlyMap<string, TestFacts>;
    };

/** How a unit's power is cut: after each promise, and at moments that are drawn. */
export interface PowerCutPlan {
  /** Cuts at drawn moments at most, besides those after promises. */
  cuts: number;
  /** Images with random parts of what was not flushed, for each cut. */
  states: number;
}

/** What is asked for: the options of `run`, checked, and nothing looked up yet. */
export interface RunRequest {
  fs: FileSystem;
  /** Tests of the suite, in the order they are run. */
  tests: string[];
  suite: RequestedSuite;
  kernel: string;
  /** How it is built, where it is built from its source. */
  build?: BuildOptions | undefined;
  /** The changes to the kernel's source that are run. */
  variant: Variant;
  pmem: PmemKind;
  /** Bytes of each device; undefined: what the file system wants. */
  size?: number | undefined;
  mkfsOptions?: string | undefined;
  mountOptions?: string | undefined;
  /** Seconds for each test. */
  timeout: number;
  repeat: number;
  /** Whether to stop at the first failure; attempts then go round all tests. */
  untilFail: boolean;
  /** The first attempt's seed: see `Unit`. */
  seed: number;
  cpus: number;
  /** The guest's power is cut; undefined: it is not. */
  powerCut?: PowerCutPlan | undefined;
  /** The user wants the control: mounted without DAX, and proven to be so. */
  control: boolean;
  /** Options that the project's configuration decides, by their names: a command to replay names them. */
  configured?: readonly string[];
}

/** One thing to run: a guest of its own, a verdict of its own. Everything in it is decided. */
export interface Unit {
  fs: FileSystem;
  test: string;
  suite: { name: RequestedSuite['name']; version: string };
  /** Of a test of xfstests. */
  facts?: TestFacts | undefined;
  kernelSpec: string;
  variant: string;
  /** From 1. */
  attempt: number;
  /** 32 bits: what the guest's random numbers begin with. The same for an attempt in all variants. */
  seed: number;
  shape: Omit<MachineShape, 'accelerator'>;
  /** As mkfs gets them, what the user gave last. */
  mkfsOptions: string;
  /** As mount gets them, comma-separated. */
  mountOptions: string;
  timeout: number;
  control: boolean;
  /** In place of a test a person, or a command, with a file system or with an image to look at. */
  session?: SessionKind | undefined;
  powerCut?: PowerCutPlan | undefined;
}

export type SessionKind = 'file-system' | 'image';

/** A unit's name for people: `ext2 generic/002`, and `ext2 generic/002 [v2]` in a variant. */
export function unitName({ fs, test, variant }: Pick<Unit, 'test' | 'variant'> & { fs: string }) {
  return `${fs} ${test}${variant === BASE.name ? '' : ` [${variant}]`}`;
}
