import { join } from 'node:path';
import type { Test } from 'tap';
import type { MachineShape } from '../../cli/guest/machine.js';
import { FAKE_QEMU, readLog } from '../util/fake-qemu.js';

export const MIB = 2 ** 20;

export const SHAPE: MachineShape = {
  pmem: 'memmap',
  deviceSize: 64 * MIB,
  memory: 1024 * MIB,
  cpus: 1,
  accelerator: 'tcg',
};

/** A separate cache, and the files of a machine whose QEMU is a fake that takes these steps. */
export function fakeBoot(t: Test, steps: readonly object[]) {
  const directory = t.testdir({ kernel: 'k', initramfs: 'i', script: JSON.stringify(steps) });
  const log = join(directory, 'log');
  const before = { script: process.env['FAKE_QEMU_SCRIPT'], log: process.env['FAKE_QEMU_LOG'] };
  process.env['FAKE_QEMU_SCRIPT'] = join(directory, 'script');
  process.env['FAKE_QEMU_LOG'] = log;
  t.teardown(() => {
    process.env['FAKE_QEMU_SCRIPT'] = before.script;
    process.env['FAKE_QEMU_LOG'] = before.log;
  });
  const files = {
    qemu: FAKE_QEMU,
    kernel: join(directory, 'kernel'),
    initramfs: join(directory, 'initramfs'),
  };
  const starts = () => readLog(log).filter(({ argv }) => argv !== undefined).length;
  return { directory, log, files, store: { root: join(directory, 'cache') }, starts };
}
