import t from 'tap';
import { runJson } from './daxrepro.js';

// The whole built-in suite passes on an unpatched kernel, with DAX proven, on each file system.
t.setTimeout(30 * 60 * 1000);

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
  });
}
