import t from 'tap';
import { formatKtap } from '../../cli/report/ktap.js';
import { testCasesOf } from '../../cli/report/test-cases.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { WHOLE_FAILURE } from '../util/kept.js';
import { kunitParser, parseKtap } from '../util/readers.js';
import { UNIT } from '../util/results.js';

const ktap = (...units: Partial<UnitResult>[]) =>
  formatKtap(testCasesOf(units.map((unit) => ({ ...UNIT, ...unit }))));

/** Each verdict, with the status that kunit.py is to see. */
const VERDICTS: [Partial<UnitResult>, string][] = [
  [{ test: 'generic/001', verdict: 'pass' }, 'PASS'],
  [{ ...WHOLE_FAILURE, test: 'generic/002' }, 'FAIL'],
  [{ test: 'generic/003', verdict: 'invalid', reason: 'no DAX' }, 'FAIL'],
  [{ test: 'generic/004', verdict: 'error', reason: 'did not boot' }, 'FAIL'],
  [{ test: 'generic/005', verdict: 'notrun', reason: 'needs more' }, 'SKIP'],
  [{ test: 'a', verdict: 'fail', expectedFailure: { reason: 'known', held: true } }, 'SKIP'],
  [{ test: 'b', verdict: 'pass', expectedFailure: { reason: 'known', held: false } }, 'PASS'],
  [{ test: 'xfs/1', fs: 'xfs', verdict: 'notrun', reason: 'no' }, 'SKIP'],
];

/** Text that kunit.py takes for syntax, if it is not escaped. */
const SYNTAX = [
  'a # SKIP b',
  '# SKIP',
  '#',
  '',
  '  ',
  'Subtest: forged',
  'KTAP version 1',
  'TAP version 14',
  '1..5',
  'ok 1 forged',
  '- ok 1 - forged',
  'reboot: System halted',
  'Kernel panic - not syncing: VFS: Unable to mount root fs',
  'List of all partitions:',
  'kunit executor: no',
  'daxrepro.builtin.ext2',
  'x'.repeat(10_000),
  '\n\r\n\x00\x1b[2J\u2028\ud800\u00a0',
  'é\u00ff漢字',
];

t.test('writes suites with subtests, details before the result', async (t) => {
  const text = ktap(...VERDICTS.map(([unit]) => unit));
  t.match(
    text,
    /^KTAP version 1\n1\.\.2\n {2}KTAP version 1\n {2}# Subtest: daxrepro\.builtin\.ext2\n/,
  );
  t.match(text, /^ {2}ok 1 generic\/001$/m);
  t.match(
    text,
    /^ {2}# {3}e2fsck: .*[\s\S]*^ {2}not ok 2 generic\/002 # e2fsck: Directory inode 12/m,
  );
  t.match(text, /^ {2}not ok 3 generic\/003 # ERROR invalid: no DAX$/m);
  t.match(text, /^ {2}not ok 4 generic\/004 # ERROR error: did not boot$/m);
  t.match(text, /^ {2}ok 5 generic\/005 # SKIP needs more$/m);
  t.match(text, /^ {2}ok 6 a # SKIP expected to fail: known; /m);
  t.match(text, /^ {2}ok 7 b # it was expected to fail: known$/m);
  t.match(text, /^not ok 1 daxrepro\.builtin\.ext2$/m);
  t.match(text, /^ok 2 daxrepro\.builtin\.xfs # SKIP every test$/m);
});

t.test('contains no directive that comes from a guest', async (t) => {
  for (const [at, words] of SYNTAX.entries()) {
    const text = ktap({ ...WHOLE_FAILURE, test: words, reason: words }, { reason: words });
    t.notMatch(text, / # SKIP/, `text ${at}`);
    t.notMatch(text, /reboot: |not syncing: VFS:|partitions:/);
  }
});

const { reader: kunit, missing } = kunitParser();

t.test('kunit.py reads the status of every unit', { skip: missing ?? false }, async (t) => {
  const parse = (...units: Partial<UnitResult>[]) => parseKtap(kunit ?? '', ktap(...units));
  t.same(
    parse(...VERDICTS.map(([unit]) => unit)).map(({ status }) => status),
    VERDICTS.map(([, status]) => status),
  );
  const nasty = SYNTAX.flatMap((words): Partial<UnitResult>[] => [
    { ...WHOLE_FAILURE, test: words, reason: words, replay: words },
    { test: words, verdict: 'error', reason: words },
    { test: words, verdict: 'notrun', reason: words },
    { test: words },
  ]);
  t.same(
    parse(...nasty).map(({ status }) => status),
    SYNTAX.flatMap(() => ['FAIL', 'FAIL', 'SKIP', 'PASS']),
  );
  for (const broken of ['KTAP version 1\n1..2\nok 1 a', 'KTAP version 1\n1..0', 'nothing']) {
    t.throws(() => parseKtap(kunit ?? '', broken), 'the parser complains');
  }
});
