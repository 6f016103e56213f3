import t from 'tap';
import { attemptsOf } from '../../cli/diff/sides.js';
import { conclusionOf, judgeReplay } from '../../cli/replay/judge.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { CORRUPTED, FAIL } from '../util/comparisons.js';
import { UNIT } from '../util/results.js';

const of = (...units: Partial<UnitResult>[]) =>
  attemptsOf(units.map((unit) => ({ ...UNIT, ...unit })));
const times = (count: number, failing: number) =>
  of(...Array.from({ length: count }, (_, index) => (index < failing ? FAIL : {})));

t.test('judges one attempt of each', (t) => {
  const other = { ...FAIL, findings: [{ ...CORRUPTED, signature: 'e2fsck:other' }] };
  const notice = { findings: [{ ...CORRUPTED, severity: 'notice' as const }] };
  for (const [recorded, replayed, conclusion] of [
    [{}, {}, 'agrees'],
    [FAIL, FAIL, 'agrees'],
    [{}, notice, 'agrees'],
    [{}, FAIL, 'differs'],
    [FAIL, {}, 'differs'],
    [FAIL, other, 'differs'],
    [FAIL, { verdict: 'error', reason: 'x' }, 'cannot-tell'],
    [{}, { verdict: 'invalid', reason: 'x' }, 'cannot-tell'],
    [{}, { verdict: 'notrun', reason: 'x' }, 'cannot-tell'],
    [{ verdict: 'notrun', reason: 'x 1' }, { verdict: 'notrun', reason: 'x 2' }, 'agrees'],
    [{ verdict: 'notrun', reason: 'x' }, { verdict: 'notrun', reason: 'y' }, 'differs'],
    [{ verdict: 'error', reason: 'x' }, { verdict: 'error', reason: 'y' }, 'cannot-tell'],
    [{ verdict: 'invalid', reason: 'x' }, {}, 'differs'],
  ] as [Partial<UnitResult>, Partial<UnitResult>, string][]) {
    const judged = judgeReplay(of(recorded), of(replayed));
    t.equal(
      judged.conclusion,
      conclusion,
      `${recorded.verdict} ${replayed.verdict}: ${judged.why}`,
    );
  }
  t.equal(judgeReplay(of(FAIL), undefined).conclusion, 'cannot-tell');
  t.end();
});

t.test('judges several attempts by their failure rates', (t) => {
  const judge = (a: [number, number], b: [number, number]) => judgeReplay(times(...a), times(...b));
  t.equal(judge([1, 1], [20, 3]).conclusion, 'agrees', 'the failure shows again');
  t.equal(judge([20, 2], [20, 3]).conclusion, 'agrees');
  t.equal(judge([20, 2], [20, 15]).conclusion, 'differs', 'far more often');
  t.equal(judge([20, 20], [20, 3]).conclusion, 'differs', 'far less often');
  t.equal(judge([20, 2], [200, 0]).conclusion, 'differs', 'gone');
  t.match(judge([20, 2], [5, 0]), { conclusion: 'cannot-tell', why: /29 would/ });
  t.equal(judge([20, 0], [20, 1]).conclusion, 'differs', 'a new failure');
  t.end();
});

t.test('takes the worst conclusion of all', (t) => {
  const all = (...conclusions: ('agrees' | 'differs' | 'cannot-tell')[]) =>
    conclusionOf(conclusions.map((conclusion) => ({ conclusion })));
  t.equal(all('agrees', 'agrees'), 'agrees');
  t.equal(all('agrees', 'cannot-tell', 'differs'), 'differs');
  t.equal(all('agrees', 'cannot-tell'), 'cannot-tell');
  t.equal(all(), 'cannot-tell');
  t.end();
});
