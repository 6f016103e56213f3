import type { DeviceOption } from '../../guest/additional-devices.js';

/**
 * The functions with which a test says that it needs further devices; without them it does not apply
 * (xfstests: common/rc and common/dmlogwrites).
 */
const NEEDS: readonly [DeviceOption, RegExp][] = [
  ['log-device', /^\s*_require_logdev\b/m],
  ['rt-device', /^\s*_require_realtime\b/m],
  ['logwrites', /^\s*_require_log_writes\w*/m],
];

/** The options of daxrepro that give a test its devices. */
export function devicesNeededBy(script: string): DeviceOption[] {
  return NEEDS.filter(([, line]) => line.test(script)).map(([option]) => option);
}
