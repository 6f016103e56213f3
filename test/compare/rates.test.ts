import t from 'tap';
import { dice } from '../../cli/bisect/simulate.js';
import { compareRates, LEVEL, levelAt, nextLook } from '../../cli/compare/rates.js';
import { runUntilKnown } from '../../cli/compare/until-known.js';
import type { Unit } from '../../cli/plan/unit.js';
import { describeRates } from '../../cli/report/compare-words.js';
import { type CompareUnit, cellResults } from '../../cli/results/compare-result.js';
import { comparison } from '../util/comparisons.js';
import { UNIT } from '../util/results.js';

const variants = [
  { name: 'base', changes: [] },
  { name: 'v2', changes: ['/v2.patch'] },
];

const CASE = { variants, fileSystems: ['ext2' as const] };

function compareUnit(given: Partial<CompareUnit>): CompareUnit {
  const cell = { fs: 'ext2', test: 'generic/002', pmem: 'memmap' as const };
  return { ...UNIT, ...cell, expected: null, held: true, ...given };
}

/** Attempts of both variants; the first ones failed. */
function result(base: [failed: number, of: number], v2: [failed: number, of: number]) {
  const units = (variant: string, [failed, of]: [number, number]) =>
    Array.from({ length: of }, (_, at) =>
      compareUnit({ variant, attempt: at + 1, verdict: at < failed ? 'fail' : 'pass' }),
    );
  const all = [...units('base', base), ...units('v2', v2)];
  const made = { ...comparison(undefined, { case: CASE }), units: all };
  return { ...made, rates: compareRates(made.case, cellResults(made)) };
}

t.test('tells different rates apart, and leaves small samples undecided', async (t) => {
  t.match(result([20, 40], [0, 40]).rates, [{ conclusion: 'fails-less', runsNeeded: null }]);
  t.match(result([0, 40], [20, 40]).rates, [{ conclusion: 'fails-more' }]);
  const few = result([2, 20], [0, 20]);
  t.match(few.rates, [{ conclusion: 'undecided', failures: { base: { hits: 2, trials: 20 } } }]);
  t.ok((few.rates[0]?.runsNeeded ?? 0) > 20);
  t.match(
    describeRates(few)[0],
    /too few runs to say.*0 of 20 .*2 of 20.*p = 0.49.*it takes \d+ attempts of each/,
  );
  t.match(
    describeRates(result([20, 40], [0, 40]))[0],
    /fails less often than base: 0 of 40 attempts/,
  );
  t.strictSame(describeRates(result([0, 10], [0, 10])), [], 'nothing ever failed');
  t.strictSame(result([1, 1], [0, 1]).rates, [], 'one attempt each has no rate');
});

t.test('never calls a single pass after a flaky failure a fix', async (t) => {
  for (const [failed, of, passes] of [
    [1, 5, 1],
    [3, 20, 5],
    [1, 100, 100],
  ] as const) {
    t.match(result([failed, of], [0, passes]).rates, [{ conclusion: 'undecided' }]);
  }
});

t.test('spends no more than the level over all interim tests', async (t) => {
  let [sum, attempts] = [0, 0];
  for (let look = 0; look < 40; look += 1) {
    attempts = nextLook(attempts);
    sum += levelAt(attempts);
  }
  t.ok(sum <= LEVEL && sum > 0.9 * LEVEL, `${sum}`);
});

/** Simulates attempts of both variants that fail at these rates. */
async function known(rates: { base: number; v2: number }, seed: number, most = 320) {
  const random = dice(seed);
  const made = comparison(undefined, { case: CASE });
  const units = Array.from({ length: most }, (_, at) => at + 1).flatMap((attempt) =>
    variants.map(
      ({ name }) =>
        ({
          fs: 'ext2',
          test: 'generic/002',
          variant: name,
          attempt,
          shape: { pmem: 'memmap' },
        }) as Unit,
    ),
  );
  const results = await runUntilKnown(
    made.case,
    units,
    async (some) =>
      some.map(({ variant, attempt }) =>
        compareUnit({
          ...{ variant, attempt },
          verdict: random() < rates[variant as 'base' | 'v2'] ? 'fail' : 'pass',
        }),
      ),
    new AbortController().signal,
  );
  const cells = cellResults({ case: made.case, units: results });
  return { runs: results.length, rates: compareRates(made.case, cells, levelAt) };
}

t.test('stops as soon as the rates are told apart', async (t) => {
  const always = await known({ base: 1, v2: 0 }, 1);
  t.equal(always.runs, 10, 'five runs of each');
  t.match(always.rates, [{ conclusion: 'fails-less' }]);
  const flaky = await known({ base: 0.3, v2: 0 }, 2);
  t.match(flaky.rates, [{ conclusion: 'fails-less' }]);
  t.ok(flaky.runs < 320, `${flaky.runs} runs`);
  const never = await known({ base: 0, v2: 0 }, 3, 40);
  t.equal(never.runs, 80);
  t.match(never.rates, [{ conclusion: 'undecided' }]);
});

t.test('tells equal rates apart in less than one of 20 comparisons', async (t) => {
  let wrong = 0;
  for (let seed = 0; seed < 100; seed += 1) {
    const { rates } = await known({ base: 0.3, v2: 0.3 }, seed, 80);
    if (rates[0]?.conclusion !== 'undecided') wrong += 1;
  }
  t.ok(wrong <= 5, `${wrong} of 100`);
});
