import type { Unit } from '../../cli/plan/unit.js';
import { READY, type Step } from './fake-qemu.js';

/** A guest's events in the course of a unit, as guest-scripts/lib/unit.sh sends them. */

export const CLEAN_E2FSCK = [
  'e2fsck 1.47.0 (5-Feb-2023)',
  'Pass 1: Checking inodes, blocks, and sizes',
  'Pass 2: Checking directory structure',
  'Pass 3: Checking directory connectivity',
  'Pass 4: Checking reference counts',
  'Pass 5: Checking group summary information',
  '/dev/pmem0: 45/4096 files (0.0% non-contiguous), 374/4096 blocks\n',
].join('\n');

export const CORRUPT_E2FSCK = [
  'e2fsck 1.47.0 (5-Feb-2023)',
  'Pass 1: Checking inodes, blocks, and sizes',
  'Pass 2: Checking directory structure',
  'Directory inode 2, block #0, offset 0: directory corrupted',
  'Salvage? no\n',
  'e2fsck: aborted\n',
  '/dev/pmem0: ********** WARNING: Filesystem still has errors **********\n\n',
].join('\n');

export const proofStep = (when: string, more: Record<string, unknown> = {}): Step => ({
  event: {
    event: 'proof',
    when,
    device: '/dev/pmem0',
    directory: '/mnt/test',
    mounted: true,
    type: 'ext4',
    options: 'rw,relatime,dax=always',
    servedByExt4: true,
    servedByXfs: false,
    moduleReferences: '',
    moduleReferencesUnmounted: '',
    moduleBuildId: '',
    statxAttributes: '0x200000',
    statxMask: '0x203000',
    data: ['written', 'mapped'].map((how, page) => ({
      how,
      device: '/dev/pmem0',
      position: String(33_554_432 + page * 4096),
      same: '4096',
      problem: '',
    })),
    blockSize: '4096',
    pageSize: '4096',
    kernelLog: '',
    ...more,
  },
});

const step = (name: string): Step => ({
  console: `[    4.000000] daxrepro: ${name}\n`,
  event: { event: 'step', name },
});

export interface UnitSteps {
  proof?: Record<string, unknown>;
  test?: Record<string, unknown>;
  fsck?: { log: string; status: number };
  /** In the middle of the test. */
  during?: Step[];
}

/** A whole unit on ext4, which passes unless specified otherwise. */
export function unitSteps({ proof, test, fsck, during = [] }: UnitSteps = {}): Step[] {
  const { log, status } = fsck ?? { log: CLEAN_E2FSCK, status: 0 };
  return [
    { console: 'Linux version 6.1.0-test\n' },
    { beat: 100 },
    { event: READY },
    { request: true },
    step('load-module'),
    step('mkfs'),
    step('mount'),
    proofStep('before', proof),
    step('test'),
    ...during,
    { file: { name: 'output', text: 'some output\n' } },
    { event: { event: 'test', status: 0, microseconds: 5, ...test } },
    step('prove'),
    proofStep('after', proof),
    step('unmount'),
    step('fsck-test'),
    { file: { name: 'fsck-test', text: log } },
    { event: { event: 'fsck', name: 'test', device: '/dev/pmem0', status } },
    { event: { event: 'finished' } },
  ];
}

/** A unit of xfstests, planned. */
export const XFSTESTS_UNIT: Unit = {
  fs: 'ext4',
  test: 'generic/002',
  suite: { name: 'xfstests', version: '1' },
  kernelSpec: 'debian:6.1',
  variant: 'base',
  attempt: 1,
  seed: 7,
  shape: { pmem: 'memmap', deviceSize: 2 ** 30, memory: 2 ** 30, cpus: 1 },
  mkfsOptions: '',
  mountOptions: 'dax=always',
  timeout: 60,
  control: false,
};
