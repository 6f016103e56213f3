import {
  deviceAddresses,
  type MachineShape,
  placeInMemoryFile,
  placeRegions,
} from '../guest/machine.js';
import type { PmemRange } from './plugin.js';

/**
 * What the kernel reserves at the start of an NVDIMM with an fsdax namespace whose page map is in RAM: the block
 * that describes the namespace, up to the alignment (drivers/nvdimm/pfn_devs.c, nd_pfn_init).
 * guest-scripts/lib/devices.sh sets this alignment.
 */
const FSDAX_BEGIN = 2 * 1024 * 1024;

/**
 * Where a guest's two devices are in its physical memory and in the files behind it, TEST_DEV first. An offset
 * in such a range is an offset on the device. The addresses that the guest reports are compared with these
 * (watched.ts).
 *
 * @param memory the file of its ordinary memory
 * @param devices the devices' files as QEMU gets them; none for memmap
 * @returns no ranges for `none`: a disk is not memory
 */
export function pmemRanges(
  shape: MachineShape,
  memory: string,
  devices: readonly string[],
): PmemRange[] {
  const size = shape.deviceSize;
  const regions = placeRegions(shape).regions;
  const addresses = deviceAddresses(shape);
  switch (shape.pmem) {
    case 'none':
      return [];
    case 'memmap':
      return regions.map((region) => ({
        start: region.start,
        size,
        file: memory,
        offset: placeInMemoryFile(shape, region),
        flush: 'instructions',
      }));
    case 'nvdimm':
      return devices.map((file, index) => ({
        start: (addresses[index] ?? 0) + FSDAX_BEGIN,
        size: size - FSDAX_BEGIN,
        file,
        offset: FSDAX_BEGIN,
        flush: 'instructions',
      }));
    case 'cxl':
      throw new Error('the power of guests with CXL devices is not cut');
    case 'virtio-pmem':
      return devices.map((file, index) => ({
        start: addresses[index] ?? 0,
        size,
        file,
        offset: 0,
        flush: 'requests',
      }));
  }
}
