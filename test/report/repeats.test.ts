import t from 'tap';
import { alikeAttempts, describeRepeats } from '../../cli/report/repeats.js';
import { formatSummary } from '../../cli/report/summary.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { countRepeats } from '../../cli/run/repeats.js';
import { RESULT, UNIT } from '../util/results.js';

function attempts(...verdicts: UnitResult['verdict'][]): UnitResult[] {
  return verdicts.map((verdict, index) => ({
    ...UNIT,
    attempt: index + 1,
    verdict,
    reason: verdict === 'fail' ? `inode ${index} is lost` : `it is ${verdict}`,
  }));
}

t.test('counts attempts, and gives the failure rate with its interval', async (t) => {
  const [repeats] = countRepeats(attempts('pass', 'fail', 'pass', 'error', 'invalid', 'pass'));
  t.match(repeats, {
    counts: { pass: 3, fail: 1, error: 1, invalid: 1 },
    failures: { rate: 0.25 },
  });
  t.equal(
    describeRepeats(repeats as never),
    'ext2 generic/002: 1 of 4 attempts failed, 25 % (95 % interval: 0.63 to 81 %); not counted: 1 error, 1 invalid',
  );
});

t.test('gives no rate if no attempt passed or failed', async (t) => {
  const [repeats] = countRepeats(attempts('error', 'notrun'));
  t.equal(repeats?.failures, undefined);
  t.match(
    describeRepeats(repeats as never),
    /no attempt passed or failed; not counted: 1 notrun, 1 error/,
  );
});

t.test('gives no rate for a single attempt, and separates tests', async (t) => {
  t.same(countRepeats(attempts('pass')), []);
  const other = attempts('fail', 'fail').map((unit) => ({ ...unit, variant: 'v2' }));
  const counted = countRepeats([...attempts('pass', 'pass'), ...other]);
  t.same(
    counted.map(({ variant, counts }) => [variant, counts]),
    [
      ['base', { pass: 2 }],
      ['v2', { fail: 2 }],
    ],
  );
});

t.test('names the fields in which repeats differ', async (t) => {
  const [one, two] = [attempts('pass', 'pass'), attempts('fail', 'fail')];
  const names = (...units: UnitResult[]) => {
    const all = countRepeats(units);
    return all.map((each) => describeRepeats(each, all).split(':')[0]);
  };
  const v2 = two.map((unit) => ({ ...unit, variant: 'v2' }));
  t.same(names(...one, ...v2), ['base, ext2 generic/002', 'v2, ext2 generic/002']);
  const nvdimm = two.map((unit) => ({ ...unit, pmem: 'nvdimm' as const }));
  t.same(names(...one, ...nvdimm), ['ext2 generic/002, memmap', 'ext2 generic/002, nvdimm']);
  t.same(names(...one), ['ext2 generic/002']);
});

t.test('shows attempts that ended alike once', async (t) => {
  const units = attempts('pass', 'fail', 'pass', 'fail', 'error');
  t.same(
    alikeAttempts(units).map(({ first, others }) => [first.attempt, others]),
    [
      [1, '1 more like this: attempt 3'],
      [2, '1 more like this: attempt 4'],
      [5, undefined],
    ],
  );
  const many = alikeAttempts(attempts(...Array.from({ length: 30 }, () => 'pass' as const)));
  t.match(many[0]?.others, /^29 more like this: attempts 2, 3, .*, 13 and 17 others$/);
});

t.test('shows repeats in the summary', async (t) => {
  const units = attempts('pass', 'fail', 'fail');
  const text = formatSummary({ ...RESULT, units, repeats: countRepeats(units) }, { colour: false });
  t.equal(text.match(/^FAIL/gm)?.length, 1, 'alike ones once');
  t.match(text, /again +1 more like this: attempt 3/);
  t.match(text, /2 of 3 attempts failed, 67 % \(95 % interval: 9\.4 to 99 %\)/);
});
