import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { daxrepro, LAUNCHER, runJson } from './daxrepro.js';

// With a tree whose check and tests misbehave in known ways, each test gets the right verdict.
t.setTimeout(30 * 60 * 1000);

const STAND_IN = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

const OPTIONS = ['--suite', STAND_IN, '--size', '64M', '--timeout', '60', '--jobs', '1'];

const EXPECTED: Record<string, [verdict: string, outcome: string, reason: RegExp]> = {
  'generic/001': ['pass', 'passed', /no problems were found$/],
  'generic/002': ['fail', 'output-differs', /output differs: \[-one\] \[\+two\]/],
  // The third of ten: the others have verdicts.
  'generic/008': ['fail', 'crashed', /kernel panicked: .*sysrq triggered crash/],
  'generic/005': ['notrun', 'not-run', /this needs what is not there/],
  // check repaired TEST_DEV and reports success.
  'generic/004': ['fail', 'inconsistent', /e2fsck: Inode \d+ ref count is 9, should be 2/],
  'generic/006': ['invalid', 'without-dax', /within the test \/dev\/pmem1 .* without DAX/],
  'generic/007': ['pass', 'passed', /the test turned DAX off on purpose for 1 mount/],
  // It calls mount(2) itself and unmounts again: only the kernel's own count shows it.
  'generic/009': ['invalid', 'without-dax', /kernel counted 1 mount of ext4/],
  'generic/016': ['pass', 'passed', /no problems were found$/],
  'generic/018': ['pass', 'passed', /no problems were found$/],
};

/** In check's order; the guest dies in the third of the ten. */
const TOGETHER: Record<string, [verdict: string, outcome: string, guest: string, reason: RegExp]> =
  {
    'generic/001': ['pass', 'passed', '1.1', /no problems were found$/],
    'generic/005': ['notrun', 'not-run', '1.2', /this needs what is not there/],
    'generic/008': ['fail', 'crashed', '1.3', /sysrq triggered crash; 2 tests ran in this guest/],
    'generic/009': ['invalid', 'without-dax', '2.1', /kernel counted 1 mount of ext4/],
    // check was killed and cannot go on.
    'generic/012': ['error', 'undecided', '3.1', /check does not show that the test passed/],
    'generic/013': ['error', 'undecided', '4.1', /could not mount/],
    'generic/016': ['pass', 'passed', '5.1', /no problems were found$/],
    // Its leftovers do not disturb the next test.
    'generic/017': ['pass', 'passed', '5.2', /no problems were found$/],
    'generic/018': ['pass', 'passed', '5.3', /no problems were found$/],
    // xfstests does not check TEST_DEV after it.
    'generic/019': ['fail', 'inconsistent', '5.4', /e2fsck: Inode \d+ ref count is 9/],
  };

t.test('gives each of many tests in one guest its own verdict', async (t) => {
  const ids = Object.keys(TOGETHER);
  const words = ['ext4', ...ids, '--together', ...OPTIONS];
  const place = t.testdir({ recorded: {}, replayed: {} });
  const { result, exitCode } = await runJson(words, join(place, 'recorded'));
  t.equal(exitCode, 1);
  t.strictSame(
    result.units.map(({ test }) => test),
    ids,
  );
  for (const { test, verdict, outcome, reason, dax, together } of result.units) {
    const [wanted, became, where, why] = TOGETHER[test] ?? ['none', 'none', '', /^$/];
    const guest = `${together?.guest}.${together?.position}`;
    t.same([verdict, outcome, guest], [wanted, became, where], `${test}: ${reason}`);
    t.match(reason, why, test);
    if (verdict !== 'pass') continue;
    const looks = dax.looks.map(({ when }) => when);
    for (const when of ['before', 'scratch', 'after'])
      t.ok(looks.includes(when), `${test} ${when}`);
  }
  const third = result.units[2];
  t.match(third?.replay, / generic\/001 generic\/005 generic\/008 .*--together$/);

  // The tests that preceded it in its guest precede it again.
  const again = await daxrepro(
    ['replay', `${result.directory}#3`, '--json'],
    join(place, 'replayed'),
  );
  t.equal(again.exitCode, 0, again.stderr);
  const { units, replay } = JSON.parse(again.stdout);
  t.match(replay.units, [{ test: 'generic/008', conclusion: 'agrees' }]);
  t.match(units, [
    { together: { after: { length: 0 } } },
    {},
    { together: { guest: 1, position: 3 } },
  ]);
});

t.test('judges every kind of misbehaviour', async (t) => {
  const ids = Object.keys(EXPECTED);
  const words = ['ext4', ...ids, ...OPTIONS];
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

const SCRIPT = `#!/bin/bash
# finds what a patch puts into common/rc
. common/rc
begin
overlaid
`;

const PATCH = `diff --git a/common/overlaid b/common/overlaid
new file mode 100644
--- /dev/null
+++ b/common/overlaid
@@ -0,0 +1 @@
+overlaid() { echo "the patch is here"; }
--- a/common/rc
+++ b/common/rc
@@ -1,3 +1,4 @@
+. common/overlaid
 # Shared by the stand-in's check and its tests.
 #
 # Options are several words (SC2086), variables come from the tests (SC2154).
`;

t.test('a patch of the tree and a test from outside run, and a bundle has both', async (t) => {
  const place = t.testdir({
    'rc.patch': PATCH,
    tests: {
      generic: { '999': SCRIPT, '999.out': 'QA output created by 999\nthe patch is here\n' },
    },
    ...{ recorded: {}, replayed: {} },
  });
  const word = join(place, 'tests/generic/999');
  const words = ['ext4', word, '--suite-patch', join(place, 'rc.patch'), ...OPTIONS];
  const { result } = await runJson(words, join(place, 'recorded'));
  const [unit] = result.units;
  t.match(unit, { test: 'generic/999', verdict: 'pass' }, unit?.reason ?? 'no unit');
  t.match(unit?.replay, /run ext4 \S+tests\/generic\/999 --suite \S+ .*--suite-patch/);
  const bundle = join(place, 'run.tar.gz');
  const argv = ['bundle', result.directory, '--output', bundle];
  const packed = await execa(LAUNCHER, argv, { reject: false });
  t.equal(packed.exitCode, 0, packed.stderr);
  for (const file of ['rc.patch', 'tests/generic/999']) rmSync(join(place, file));
  const again = await daxrepro(
    ['replay', bundle, '--suite', STAND_IN, '--json'],
    join(place, 'replayed'),
  );
  t.equal(again.exitCode, 0, again.stderr);
  t.match(JSON.parse(again.stdout), {
    units: [{ test: 'generic/999', verdict: 'pass', suite: unit?.suite }],
    replay: { units: [{ conclusion: 'agrees' }] },
  });
});
