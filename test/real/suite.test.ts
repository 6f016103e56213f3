import t from 'tap';
import type { UnitResult } from '../../cli/results/run-result.js';
import { runJson } from './daxrepro.js';

// The whole built-in suite passes on an unpatched kernel, with DAX proven, on each file system.
t.setTimeout(30 * 60 * 1000);

const cloned = new Map<string, UnitResult[]>();

for (const fs of ['ext2', 'ext4', 'xfs'] as const) {
  t.test(`${fs} on memmap`, async (t) => {
    const { result, exitCode } = await runJson([fs, '-g', 'auto', '--jobs', '1'], t.testdir());
    t.equal(exitCode, 0, 'exit code');
    for (const unit of result.units) {
      const notForExt2 = fs === 'ext2' && /fallocate|punch/.test(unit.test);
      t.equal(unit.verdict, notForExt2 ? 'notrun' : 'pass', `${unit.test}: ${unit.reason}`);
      t.ok(unit.dax.proven, `${unit.test}: DAX is proven`);
      t.equal(unit.dax.driver, fs, `${unit.test}: driver`);
      t.same(unit.findings, [], `${unit.test}: findings`);
    }
    t.ok(result.units.length >= 15, 'the suite is whole');
    cloned.set(fs, result.units);
  });
}

t.test('gives booted guests the same verdicts as cloned ones', async (t) => {
  const words = ['ext2', '-g', 'auto', '--jobs', '1', '--no-checkpoint'];
  const { result } = await runJson(words, t.testdir());
  const told = (units: readonly UnitResult[]) =>
    units.map(({ test, verdict, reason, dax }) => ({ test, verdict, reason, driver: dax.driver }));
  t.notOk(result.units.some((unit) => unit.cloned));
  t.ok(cloned.get('ext2')?.every((unit) => unit.cloned));
  t.same(told(result.units), told(cloned.get('ext2') ?? []));
});
