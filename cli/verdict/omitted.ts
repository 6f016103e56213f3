import type { FsckReport, OmittedFindings } from '../findings/fsck-report.js';
import type { UnitRecord } from '../record/record.js';

/**
 * How many findings there are beyond the listed ones, by signature. Several checks of a device
 * report the same damage, so the largest count of one check is used.
 */
export function omittedFindings({ checks, suiteChecks = [] }: UnitRecord): OmittedFindings[] {
  const most = new Map<string, OmittedFindings>();
  const reports: (FsckReport | undefined)[] = [
    ...Object.values(checks),
    ...suiteChecks.map(({ report }) => report),
  ];
  for (const omitted of reports.flatMap((report) => report?.omitted ?? [])) {
    const known = most.get(omitted.signature);
    if (!known || known.count < omitted.count) most.set(omitted.signature, omitted);
  }
  return [...most.values()];
}
