import type { FsckReport, OmittedFindings } from '../findings/fsck-report.js';
import type { UnitRecord } from '../record/record.js';

/**
 * How many findings there are beyond those that are listed, for each signature. The same damage is told by
 * several checks of a device: what one of them says counts.
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
