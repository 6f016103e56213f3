import type { PackageSources } from '../guest/packages.js';
import type { ExclusionOptions } from '../suite/exclude.js';
import type { UserTest } from '../user-test/user-test.js';
import type { Variant } from '../variant/variant.js';

/** The options of `run` as the command line gives them. */
export interface RunOptions extends ExclusionOptions {
  kernel: string;
  cc?: string;
  kconfig?: string[];
  patch?: string[];
  /** NAME=FILE[,FILE…], or a NAME from the project's configuration. */
  variant?: string;
  /** Apply only this many patches of --patch. */
  steps?: string;
  pmem: string;
  /** Put a partition table on the devices. */
  partition?: boolean;
  /** OFFSET[+LENGTH]: bytes of TEST_DEV to mark bad. */
  poison?: string[];
  /** A target of device mapper to put below the file systems. */
  stack?: string;
  suite: string;
  /** Patches for the xfstests tree. */
  suitePatch?: string[];
  group?: string[];
  /** A directory that tests of the user's get read-only. */
  with?: string;
  /** A time after which a test of the user's is ended, and has done its work. */
  for?: string;
  memory?: string;
  /** Further parameters of the guest's kernel. */
  append?: string;
  /** KEY=VALUE. */
  sysctl?: string[];
  /** Names of debugging features, comma-separated. */
  debug?: string[];
  /** How long to repeat. */
  soak?: string;
  /** A run whose units are run again that failed or had no verdict. */
  rerunFailures?: string;
  /** The directory that words of test files are relative to. */
  testsFrom?: string;
  /** Of a kept run: its test files, by their words. */
  keptTests?: ReadonlyMap<string, UserTest>;
  /** Adds devices for an external log, for xfs's realtime section, for dm-log-writes. */
  logDevice?: boolean;
  rtDevice?: boolean;
  logwrites?: boolean;
  mountOpts?: string;
  mkfsOpts?: string;
  size?: string;
  timeout?: string;
  repeat: string;
  untilFail?: boolean;
  seed?: string;
  jobs?: string;
  /** An engine that runs the units on other machines. */
  on?: string;
  cpus: string;
  accel: string;
  /** A program, or debian:SUITE. */
  qemu?: string;
  /** Where the guest's programs come from: host, debian:SUITE, a directory. */
  userland?: string;
  /** A build tree, or debian:SUITE[=VERSION], in place of the userland's package. */
  e2fsprogs?: string;
  xfsprogs?: string;
  /** Of a kept run: its packages. */
  keptPackages?: PackageSources;
  /** How much space images of damaged devices may take: a size, or 0. */
  keepImages?: string;
  /** Run failing units again, with write-back traced. */
  explain?: boolean;
  /** A file of expected failures. */
  expected?: string;
  control?: boolean;
  /**
   * Whether to cut the guests' power, how often at random moments, and the number of random images
   * of each cut.
   */
  powerCut?: boolean;
  cuts?: string;
  cutStates?: string;
  /** Record executions, and keep the records of failures. */
  record?: boolean;
  /** Let xfstests tests share guests. */
  together?: boolean;
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  dryRun?: boolean;
  json?: boolean;
  out?: string;
  /** Options set by the environment or the project's configuration. */
  configured?: string[];
  /** Variants from the project's configuration. */
  variants?: Variant[];
}
