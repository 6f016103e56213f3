import type { Accelerator } from '../guest/machine.js';
import type { FileSystemModule } from '../kernel/file-system-module.js';
import type { Kernel, WitnessState } from '../kernel/kernel.js';
import type { PowerCutTools } from '../power-cut/tools.js';

/** All that units of one kernel share. Made once, from caches where they have it. */
export interface Prepared {
  qemu: string;
  kernel: Kernel;
  initramfs: string;
  accelerator: Accelerator;
  /** Whether the guest's kernel gets our own module, and where not, why. */
  witness: WitnessState;
  /** undefined where the file system is built in, or the kernel's modules have none. */
  module: (FileSystemModule & { bytes?: Buffer }) | undefined;
  /** Where power is cut. */
  powerCut?: PowerCutTools | undefined;
}
