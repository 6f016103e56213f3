import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { DEVICE_OPTIONS, DEVICES_OF, type DeviceOption } from '../guest/additional-devices.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunOptions } from './run-options.js';

/** The options `--log-device`, `--rt-device` and `--logwrites`. */
export type DeviceOptions = Pick<
  RunOptions,
  'logDevice' | 'rtDevice' | 'logwrites' | 'powerCut' | 'configured'
>;

const NAMES: Readonly<Record<DeviceOption, 'logDevice' | 'rtDevice' | 'logwrites'>> = {
  'log-device': 'logDevice',
  'rt-device': 'rtDevice',
  logwrites: 'logwrites',
};

/** The options that were given, and fit the file system. */
export function devicesOf(
  options: DeviceOptions,
  fs: FileSystem,
): Outcome<readonly DeviceOption[]> {
  const given = DEVICE_OPTIONS.filter((option) => options[NAMES[option]]);
  const unfit = given.find((option) => !DEVICES_OF[option].includes(fs));
  if (unfit) {
    const others = FILE_SYSTEMS.filter((one) => DEVICES_OF[unfit].includes(one));
    const what = unfit === 'log-device' ? 'journal' : 'realtime section';
    return failure(
      'usage',
      `--${unfit}: ${fs} has no ${what}`,
      `Leave it out, or use ${others.join(' or ')}`,
    );
  }
  if (given.length > 0 && options.powerCut) {
    return failure(
      'usage',
      `--power-cut does not go with --${given[0]}: what survives is examined on TEST_DEV and SCRATCH_DEV alone`,
      'Leave one of them out',
    );
  }
  return success(given);
}
