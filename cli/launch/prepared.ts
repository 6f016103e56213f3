import type { Accelerator } from '../guest/machine.js';
import type { Userland } from '../guest/userland.js';
import type { FileSystemModule } from '../kernel/file-system-module.js';
import type { Kernel, WitnessState } from '../kernel/kernel.js';
import type { PowerCutTools } from '../power-cut/tools.js';
import type { PackedUserTest } from '../user-test/user-test.js';

/** What all units of one kernel share. Made once, from the cache if possible. */
export interface Prepared {
  qemu: string;
  kernel: Kernel;
  initramfs: string;
  accelerator: Accelerator;
  /** Where the guest's programs come from; undefined: this machine. */
  userland?: Userland | undefined;
  /** Whether the guest's kernel gets the witness module, and if not, why. */
  witness: WitnessState;
  /** undefined if the file system is built in, or the kernel's modules do not include it. */
  module: (FileSystemModule & { bytes?: Buffer }) | undefined;
  /** Set if power is cut. */
  powerCut?: PowerCutTools | undefined;
  /** The user's test files as they are sent, by their words. */
  userTests?: ReadonlyMap<string, PackedUserTest> | undefined;
}
