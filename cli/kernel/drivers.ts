import { readFile } from 'node:fs/promises';
import type { Kernel } from './kernel.js';
import { readModulePaths } from './module-index.js';

/** Which drivers a kernel has, in its image or as modules. Nothing is booted to find out. */

/**
 * By module: a string that the driver's code has and no other code of the kernel. The end of a string
 * is a zero byte, so these are searched for with one.
 */
const STRINGS = {
  virtio_pci: 'virtio-pci',
  virtio_console: 'virtio_console',
  virtio_blk: 'virtio_blk',
  virtio_pmem: 'virtio_pmem',
  nd_pmem: 'nd_pmem',
  /** The ACPI device that describes NVDIMMs. */
  nfit: 'ACPI0012',
  cxl_acpi: 'cxl_acpi',
  cxl_pci: 'cxl_pci',
  cxl_port: 'cxl_port',
  cxl_mem: 'cxl_mem',
  cxl_pmem: 'cxl_nvdimm',
  dm_mod: 'device-mapper',
  ext2: 'ext2',
  ext4: 'ext4',
  xfs: 'xfs',
} as const;

export type Driver = keyof typeof STRINGS;

/**
 * The drivers that the kernel has neither in its image nor as modules. Empty if the image cannot be read:
 * then only booting tells.
 */
export async function missingDrivers(
  kernel: Pick<Kernel, 'image' | 'bootImage' | 'modules'>,
  drivers: readonly Driver[],
): Promise<Driver[]> {
  const index = kernel.modules === undefined ? undefined : await readModulePaths(kernel.modules);
  const missing = drivers.filter((name) => !index?.paths.has(name) && !index?.builtIn.has(name));
  if (missing.length === 0) return [];
  // A bzImage is compressed. Only a vmlinux can be searched.
  const vmlinux = await readFile(kernel.bootImage);
  if (vmlinux.toString('latin1', 0, 4) !== '\x7fELF') return [];
  return missing.filter((name) => !vmlinux.includes(`${STRINGS[name]}\0`, 0, 'latin1'));
}
