import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runJson } from './daxrepro.js';

// Under a tree whose check and tests misbehave in known ways, each test has the verdict it should.
t.setTimeout(30 * 60 * 1000);

const STAND_IN = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

const EXPECTED: Record<string, [verdict: string, outcome: string, reason: RegExp]> = {
  'generic/001': ['pass', 'passed', /nothing was found$/],
  'generic/002': ['fail', 'output-differs', /output differs: \[-one\] \[\+two\]/],
  // check repaired TEST_DEV and says that all is well.
  'generic/004': ['fail', 'inconsistent', /e2fsck: Inode \d+ ref count is 9, should be 2/],
  'generic/006': ['invalid', 'without-dax', /within the test \/dev\/pmem1 .* without DAX/],
  'generic/007': ['pass', 'passed', /1 of its mounts were without DAX, as it means/],
  'generic/008': ['fail', 'crashed', /kernel panicked: .*sysrq triggered crash/],
  // By mount(2) itself, unmounted again: only the kernel's own count shows it.
  'generic/009': ['invalid', 'without-dax', /kernel counted 1 mounts of ext4/],
  'generic/016': ['pass', 'passed', /nothing was found$/],
};

t.test('each way to misbehave', async (t) => {
  const ids = Object.keys(EXPECTED);
  const words = [
    'ext4',
    ...ids,
    '--suite',
    STAND_IN,
    '--size',
    '64M',
    '--timeout',
    '60',
    '--jobs',
    '1',
  ];
  const { result, exitCode } = await runJson(words, t.testdir());
  t.equal(exitCode, 1);
  t.equal(result.units.length, ids.length);
  for (const { test, verdict, outcome, reason, dax, suite } of result.units) {
    const [wanted, became, why] = EXPECTED[test] ?? ['none', 'none', /^$/];
    t.same([verdict, outcome], [wanted, became], `${test}: ${reason}`);
    t.match(reason, why, test);
    if (verdict === 'pass') t.ok(dax.proven, `${test}: DAX is proven`);
    t.match(suite, { name: 'xfstests', version: /^[0-9a-f]{12}$/ });
  }
  const differs = result.units.find(({ test }) => test === 'generic/002');
  const difference = differs?.artifacts['diff'] ?? '';
  t.match(readFileSync(join(result.directory, difference), 'utf8'), /^-one\n\+two$/m);
  t.match(readFileSync(join(result.directory, 'results.xml'), 'utf8'), /type="output-differs"/);
});
