import type { ExclusionOptions } from '../suite/exclude.js';
import type { Variant } from '../variant/variant.js';

/** The options of `run` as the command line gives them. */
export interface RunOptions extends ExclusionOptions {
  kernel: string;
  cc?: string;
  kconfig?: string[];
  patch?: string[];
  /** NAME=FILE[,FILE…], or a NAME of the project's configuration. */
  variant?: string;
  /** Only so many of the patches that the files of --patch hold. */
  steps?: string;
  pmem: string;
  suite: string;
  group?: string[];
  mountOpts?: string;
  mkfsOpts?: string;
  size?: string;
  timeout?: string;
  repeat: string;
  untilFail?: boolean;
  seed?: string;
  jobs?: string;
  cpus: string;
  accel: string;
  /** What images of damaged devices may take: a size, or 0. */
  keepImages?: string;
  /** Runs units that fail again, with write-back traced. */
  explain?: boolean;
  /** A file of expected failures. */
  expected?: string;
  control?: boolean;
  /** Whether the guests' power is cut, how often besides promises, and random images of each cut. */
  powerCut?: boolean;
  cuts?: string;
  cutStates?: string;
  /** Tests of xfstests share guests. */
  together?: boolean;
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  dryRun?: boolean;
  json?: boolean;
  out?: string;
  /** Those that the environment or the project's configuration has a value for. */
  configured?: string[];
  /** Those of the project's configuration. */
  variants?: Variant[];
}
