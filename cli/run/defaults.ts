/**
 * Defaults of `run`, in a file of their own because help texts show them and must load nothing
 * else.
 */
export const RUN_DEFAULTS = {
  kernel: 'debian:6.1',
  pmem: 'memmap',
  suite: 'builtin',
  timeout: '120',
  repeat: '1',
  cpus: '1',
  accel: 'auto',
  keepImages: '512M',
} as const;

/** Defaults of --power-cut. */
export const POWER_CUT_DEFAULTS = { cuts: '2', cutStates: '1' } as const;

/** Time limit of a test in seconds. xfstests is made for real machines. */
export const TIMEOUTS: Readonly<Record<'builtin' | 'xfstests', string>> = {
  builtin: RUN_DEFAULTS.timeout,
  xfstests: '900',
};
