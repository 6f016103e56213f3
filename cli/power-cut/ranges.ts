import {
  deviceAddresses,
  inheritedPath,
  type MachineShape,
  placeInMemoryFile,
  placeRegions,
} from '../guest/machine.js';
import type { PmemRange } from './plugin.js';

/**
 * Where a guest's two devices are in its physical memory and in the files behind it, TEST_DEV first.
 *
 * @param memory the file of its ordinary memory
 * @param devices their files as QEMU is given them; of memmap there are none
 * @returns nothing for `none`: a disk is no memory
 */
export function pmemRanges(
  shape: MachineShape,
  memory: string,
  devices: readonly string[],
): PmemRange[] {
  const size = shape.deviceSize;
  if (shape.pmem === 'none') return [];
  if (shape.pmem === 'memmap') {
    return placeRegions(shape).regions.map((region) => ({
      start: region.start,
      size,
      file: memory,
      offset: placeInMemoryFile(shape, region),
      flush: 'instructions',
    }));
  }
  const flush = shape.pmem === 'nvdimm' ? 'instructions' : 'requests';
  return deviceAddresses(shape).map((start, index) => ({
    start,
    size,
    file: devices[index] ?? inheritedPath(index),
    offset: 0,
    flush,
  }));
}
