import { eventsOf } from '../record/events.js';
import type { UnitRecord } from '../record/record.js';
import { quote } from './decision.js';
import { testDeviceIsChecked, xfstestsEvent } from './xfstests.js';

/** The checks that the guest itself makes of its devices after the test. */

type Device = 'test' | 'scratch';

/** Once a session has begun in which people call xfstests, SCRATCH_DEV belongs to the tests. */
export function devicesOfBuiltin({ events }: UnitRecord): Device[] {
  const session = events.findIndex((event) => event.event === 'step' && event.name === 'session');
  const before = session < 0 ? events : events.slice(0, session);
  return before.some((event) => event.event === 'proof' && event.when === 'scratch')
    ? ['test', 'scratch']
    : ['test'];
}

/** The devices that we must have checked ourselves after an xfstests test. */
export function devicesOfXfstests(record: UnitRecord): Device[] {
  return xfstestsEvent(record)?.together && testDeviceIsChecked(record) ? [] : ['test'];
}

/** A missing or incomplete check is not a clean check. */
export function gapInFinalChecks(
  record: UnitRecord,
  devices: readonly Device[],
): string | undefined {
  const made = eventsOf(record, 'fsck');
  const forgotten = devices.find((device) => !made.some(({ name }) => name === device));
  if (forgotten) return `${forgotten.toUpperCase()}_DEV was not checked`;
  for (const { name, status } of made) {
    const where = `the check of ${name.toUpperCase()}_DEV`;
    const report = record.checks[name];
    if (!report) return `${where} left no log that daxrepro knows`;
    if (!report.completed) return `${where} did not finish: ${report.reason}`;
    if (status !== 0 || !report.clean) {
      const unknown = report.unparsed[0];
      return `${where} exited with code ${status}${unknown ? ` and printed an unknown line: ${quote(unknown)}` : ''}`;
    }
  }
  return undefined;
}
