import t from 'tap';
import { compareRates } from '../../cli/compare/rates.js';
import { diff } from '../../cli/diff/diff.js';
import type { KeptRun } from '../../cli/diff/sides.js';
import { historyOf } from '../../cli/history/history.js';
import { formatReport } from '../../cli/report/format.js';
import { FORMATS } from '../../cli/report/formats.js';
import { matrixOf } from '../../cli/report/matrix.js';
import { cellResults } from '../../cli/results/compare-result.js';
import { countRepeats } from '../../cli/run/repeats.js';
import { comparison, FAIL } from '../util/comparisons.js';
import { keptComparison, keptRun, shown } from '../util/kept.js';
import { RESULT } from '../util/results.js';

/** Comparisons of several kernels in reports: each kernel and variant is a column of its own. */

const KERNELS = ['debian:6.1', 'debian:7.2'];

/** early-return fails, and on 7.2 the base fails on xfs, too. */
const RESULT_OF_TWO = comparison(
  ({ fs, variant, kernel }) => {
    const broken = kernel.asked === 'debian:7.2' && fs === 'xfs';
    return variant === 'early-return' || broken ? FAIL : undefined;
  },
  { case: { kernels: KERNELS } },
);

const report = (format: (typeof FORMATS)[number], width = 100) =>
  formatReport(format, shown(keptComparison(RESULT_OF_TWO)), { width, colour: false, from: '/' });

t.test('each kernel and variant is a column', async (t) => {
  const lines = report('terminal').split('\n');
  const row = lines.find((line) => line.startsWith('  generic/002')) ?? '';
  t.strictSame(row.split(/ {2,}/).slice(2), ['pass', 'fail', 'pass', 'fail']);
  t.match(
    report('terminal'),
    / {4}debian:6\.1 base {2}debian:6\.1 early-return {2}debian:7\.2 base/,
  );
  t.match(
    report('markdown'),
    '| `debian:6.1 base` | `debian:6.1 early-return` | `debian:7.2 base` |',
  );
  t.match(report('html'), '<th scope="col">debian:7.2 early-return</th>');
  t.notMatch(report('mail'), /^.{73}/m);
});

t.test('every format names the kernel of each unit', async (t) => {
  for (const format of FORMATS) {
    t.match(report(format), /debian[:_]7\.2/, format);
  }
  const cases = [...report('junit').matchAll(/<testcase [^>]*?>/g)];
  const words = cases.map(([tag]) => tag.replace(/ time="[^"]*"/, ''));
  const distinct = new Set(words);
  t.equal(distinct.size, RESULT_OF_TWO.units.length, 'no two cases have the same name');
});

t.test('compares variants on the same kernel, and the base with the first kernel', async (t) => {
  t.match(
    RESULT_OF_TWO.differences.map(({ fs, variant, kernel, baseKernel, base }) => [
      ...[fs, base, baseKernel, variant, kernel],
    ]),
    [
      ['ext2', 'base', 'debian:6.1', 'early-return', 'debian:6.1'],
      ['ext2', 'base', 'debian:7.2', 'early-return', 'debian:7.2'],
      ['xfs', 'base', 'debian:6.1', 'early-return', 'debian:6.1'],
      ['xfs', 'base', 'debian:6.1', 'base', 'debian:7.2'],
    ],
  );
  t.match(
    report('terminal'),
    /debian:7\.2 base, xfs generic\/002: pass -> fail, compared with debian:6\.1/,
  );
});

t.test('does not count attempts of different kernels together', async (t) => {
  const result = comparison(
    ({ kernel, attempt }) => (kernel.asked === 'debian:7.2' && attempt > 1 ? FAIL : undefined),
    {
      case: { kernels: KERNELS, variants: [{ name: 'base', changes: [] }], fileSystems: ['ext2'] },
      repeat: 20,
    },
  );
  t.match(countRepeats(result.units), [
    { kernel: 'debian:6.1', counts: { pass: 20 } },
    { kernel: 'debian:7.2', counts: { pass: 1, fail: 19 } },
  ]);
  t.match(compareRates(result.case, cellResults(result)), [
    { kernel: 'debian:7.2', baseKernel: 'debian:6.1', conclusion: 'fails-more' },
  ]);
  const { tests } = historyOf(
    {
      ...{ directory: '/r', leftOut: [] },
      runs: [
        { name: 'a', directory: '/r/a', started: new Date(0), command: [], units: result.units },
      ],
    },
    { byKernel: false, command: [] },
  );
  t.match(
    tests.map(({ kernel, failed, decided }) => [kernel, failed, decided]),
    [
      ['debian:7.2', 19, 20],
      ['debian:6.1', 0, 20],
    ],
  );
});

t.test('with other runs, each kernel and variant keeps a column of its own', async (t) => {
  const kept = keptComparison(RESULT_OF_TWO);
  const matrix = matrixOf([kept, keptRun(RESULT)] as Parameters<typeof matrixOf>[0]);
  t.strictSame(
    matrix.case.variants.map(({ name }) => name),
    [
      'debian:6.1 base',
      'debian:6.1 early-return',
      'debian:7.2 base',
      'debian:7.2 early-return',
      'base',
    ],
  );
  t.equal(matrix.units.length, 9);
  t.ok(cellResults(matrix).every(({ units }) => units.length <= 1));
});

t.test('a diff matches units by kernel', async (t) => {
  const side = { runs: [keptComparison(RESULT_OF_TWO) as KeptRun] };
  const fixed = {
    runs: [keptComparison(comparison(undefined, { case: { kernels: KERNELS } })) as KeptRun],
  };
  const how = { byKernel: false, slowerIsWorse: false };
  t.match(diff(side, side, how, []), { conclusion: 'same', counts: { same: 8 } });
  t.match(diff(side, fixed, how, []), { conclusion: 'better', counts: { better: 5, same: 3 } });
});
