import type { RunResult, UnitResult } from '../../cli/results/run-result.js';

/** A result to print. */

export const UNIT: UnitResult = {
  fs: 'ext2',
  test: 'generic/002',
  suite: { name: 'builtin', version: '1' },
  kernel: { spec: 'debian:6.1', release: '6.1.0-56-amd64', id: 'abc' },
  variant: 'base',
  pmem: 'memmap',
  accel: 'tcg',
  attempt: 1,
  seed: 1,
  verdict: 'pass',
  reason: 'the test passed and no problems were found',
  control: false,
  cloned: true,
  dax: {
    proven: true,
    driver: 'ext2',
    mountOptions: 'rw,dax',
    statxBefore: true,
    statxAfter: true,
    module: { origin: 'built', sha256: 'ff', buildId: '0123456789abcdef' },
    looks: (['before', 'after'] as const).map((when) => ({
      when,
      device: '/dev/pmem0',
      driver: 'ext2',
      mountOptions: 'rw,dax',
      statxDax: true,
      problems: [],
      messages: [],
    })),
  },
  findings: [],
  bootFindings: [],
  ending: 'finished',
  durationSeconds: 1.2,
  bootSeconds: 0.5,
  artifacts: {},
  replay: 'daxrepro run ext2 generic/002',
};

export const RESULT: RunResult = {
  schemaVersion: 1,
  tool: { name: 'daxrepro', version: '0.1.0' },
  command: ['run', 'ext2', 'generic/002'],
  verdict: 'pass',
  units: [UNIT],
  repeats: [],
  host: { kernel: '6', qemu: '9', node: 'v20', cpus: 2 },
  started: '2026-01-01T00:00:00.000Z',
  durationSeconds: 1.2,
  directory: '/runs/1',
};
