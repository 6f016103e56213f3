/**
 * What the options of `run` are where nobody says anything. Apart from all else, since the command
 * line shows them in its help without loading anything.
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

/** Of --power-cut. */
export const POWER_CUT_DEFAULTS = { cuts: '2', cutStates: '1' } as const;
