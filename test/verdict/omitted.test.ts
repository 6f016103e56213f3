import t from 'tap';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { omittedFindings } from '../../cli/verdict/omitted.js';

t.test('counts once what several checks omit about the same damage', async (t) => {
  const report = (count: number) =>
    ({ omitted: [{ signature: 'e2fsck:a', severity: 'corruption', count }] }) as FsckReport;
  const record = {
    checks: { test: report(7) },
    suiteChecks: [
      { report: report(9) },
      { report: report(8) },
      { report: undefined },
      { report: {} },
    ],
  } as unknown as UnitRecord;
  t.strictSame(omittedFindings(record), [
    { signature: 'e2fsck:a', severity: 'corruption', count: 9 },
  ]);
  t.strictSame(omittedFindings({ checks: { scratch: report(7) } } as unknown as UnitRecord), [
    { signature: 'e2fsck:a', severity: 'corruption', count: 7 },
  ]);
  t.strictSame(omittedFindings({ checks: {} } as UnitRecord), []);
});
