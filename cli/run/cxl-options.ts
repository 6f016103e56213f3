import { CXL_STEP } from '../guest/machine.js';
import { parseSize } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunOptions } from './run-options.js';

/** Checks what does not go with `--pmem cxl`. */
export function checkCxl({
  pmem,
  size,
  logDevice,
  rtDevice,
  logwrites,
}: RunOptions): Outcome<void> {
  if (pmem !== 'cxl') return success(undefined);
  const bytes = size === undefined ? undefined : parseSize(size);
  if (bytes?.ok && bytes.value % CXL_STEP !== 0) {
    return failure(
      'usage',
      `--size ${size} does not go with --pmem cxl: a CXL region is a multiple of 256 MiB`,
      'Give a multiple of 256M',
    );
  }
  const [device] = Object.entries({ 'log-device': logDevice, 'rt-device': rtDevice, logwrites })
    .filter(([, given]) => given)
    .map(([name]) => name);
  if (device !== undefined) {
    return failure(
      'usage',
      `--${device} does not go with --pmem cxl, which has two devices`,
      'Leave one of them out',
    );
  }
  return success(undefined);
}
