import type { FileSystem } from '../file-systems.js';

/**
 * Devices besides TEST_DEV and SCRATCH_DEV, as xfstests defines them (its README and common/config). They are
 * persistent memory of the same kind as those two, and follow them in this order.
 */
export const ADDITIONAL_DEVICES = [
  /** An external log of xfs, or an external journal of ext4: journals are not files, so DAX does not apply. */
  { variable: 'TEST_LOGDEV', option: 'log-device', use: 'log' },
  { variable: 'SCRATCH_LOGDEV', option: 'log-device', use: 'log' },
  /** The realtime section of xfs, which holds the data of realtime files. */
  { variable: 'TEST_RTDEV', option: 'rt-device', use: 'data' },
  { variable: 'SCRATCH_RTDEV', option: 'rt-device', use: 'data' },
  /** Where dm-log-writes records what is written. */
  { variable: 'LOGWRITES_DEV', option: 'logwrites', use: 'record' },
] as const;

export type DeviceVariable = (typeof ADDITIONAL_DEVICES)[number]['variable'];

/** The option that adds them, without the dashes. */
export type DeviceOption = (typeof ADDITIONAL_DEVICES)[number]['option'];

export const DEVICE_OPTIONS: readonly DeviceOption[] = ['log-device', 'rt-device', 'logwrites'];

/** The file systems that can use the devices of an option. */
export const DEVICES_OF: Readonly<Record<DeviceOption, readonly FileSystem[]>> = {
  'log-device': ['ext4', 'xfs'],
  'rt-device': ['xfs'],
  logwrites: ['ext2', 'ext4', 'xfs'],
};

const MIB = 1024 * 1024;

/** Bytes: making a file system writes the whole log. */
const LOG_SIZE = 128 * MIB;

/** The devices of these options, in their order. */
export function additionalDevices(
  options: readonly DeviceOption[],
  deviceSize: number,
): { variable: DeviceVariable; size: number }[] {
  return ADDITIONAL_DEVICES.filter(({ option }) => options.includes(option)).map(
    ({ variable, use }) => ({ variable, size: use === 'log' ? LOG_SIZE : deviceSize }),
  );
}
