import t from 'tap';
import {
  endingOf,
  exitCodeOfMutants,
  outcomeWithoutCuts,
  scoreOf,
  scoreWithoutCuts,
  shouldGoOn,
} from '../../cli/mutate/judge.js';
import type { MutantOutcome } from '../../cli/results/mutation-result.js';
import type { UnitResult } from '../../cli/results/run-result.js';

type Judged = Parameters<typeof endingOf>[0][number] & Pick<UnitResult, 'powerCut'>;

const result = (verdict: Judged['verdict'], more: Partial<Judged> = {}): Judged => ({
  test: 'dax/a',
  verdict,
  reason: `why it is ${verdict}`,
  findings: [],
  ending: 'finished',
  replay: 'daxrepro run …',
  ...more,
});

const finding = (severity: 'corruption' | 'notice') => ({
  tool: 'e2fsck' as const,
  message: 'Directory inode 2 corrupted',
  signature: 'Directory inode N corrupted',
  severity,
});

t.test('only a failure kills, and what failed is named', async (t) => {
  const killed = result('fail', {
    test: 'dax/b',
    findings: [finding('notice'), finding('corruption')],
  });
  t.match(endingOf([result('pass'), killed], 5), {
    outcome: 'killed',
    test: 'dax/b',
    reason: 'why it is fail',
    finding: { tool: 'e2fsck', signature: 'Directory inode N corrupted' },
    replay: 'daxrepro run …',
  });
  t.match(endingOf([result('error'), result('fail')], 5), { outcome: 'killed', finding: null });
});

t.test('no verdict of ours kills a mutant, or lets it survive', async (t) => {
  for (const verdict of ['error', 'invalid', 'notrun'] as const) {
    for (const results of [
      [result('pass'), result(verdict)],
      [result(verdict), result('pass')],
    ]) {
      t.match(endingOf(results, 2), {
        outcome: 'no-verdict',
        test: 'dax/a',
        reason: `${verdict} in dax/a: why it is ${verdict}`,
      });
    }
  }
});

t.test('a mutant survives only if every test passed', async (t) => {
  t.match(endingOf([result('pass'), result('pass')], 2), { outcome: 'survived', test: null });
  t.match(endingOf([result('pass')], 2), {
    outcome: 'no-verdict',
    reason: 'only 1 of 2 tests ran',
  });
  t.match(endingOf([], 0), { outcome: 'no-verdict' });
});

t.test('a failure by time alone is told apart', async (t) => {
  t.match(endingOf([result('fail', { ending: 'hang' })], 1), { outcome: 'timed-out' });
  t.match(endingOf([result('fail', { reason: 'the test timed out' })], 1), {
    outcome: 'timed-out',
  });
  const stuck = result('fail', { ending: 'unit-timeout', findings: [finding('corruption')] });
  t.match(endingOf([stuck], 1), { outcome: 'killed' });
  t.match(endingOf([result('fail', { ending: 'panic' })], 1), { outcome: 'killed' });
  t.match(endingOf([result('error', { ending: 'unit-timeout' })], 1), { outcome: 'no-verdict' });
});

t.test('tests stop at a failure, and where no verdict is to be expected', async (t) => {
  const [pass, fail, error] = [result('pass'), result('fail'), result('error')];
  t.ok(shouldGoOn([]));
  t.ok(shouldGoOn([pass, pass]));
  t.notOk(shouldGoOn([pass, fail]));
  t.ok(shouldGoOn([error, error]));
  t.notOk(shouldGoOn([error, error, error]));
  t.ok(shouldGoOn([error, pass, error, error]));
});

t.test('the outcome without power cuts is that of the other tests', async (t) => {
  const planned = [{ powerCut: false }, { powerCut: true }];
  const cut = { powerCut: {} as NonNullable<UnitResult['powerCut']> };
  t.equal(outcomeWithoutCuts([result('pass'), result('fail', cut)], planned), 'survived');
  t.equal(outcomeWithoutCuts([result('fail')], planned), 'killed');
  t.equal(outcomeWithoutCuts([result('error'), result('fail', cut)], planned), 'no-verdict');
  t.equal(outcomeWithoutCuts([result('fail')], [{ powerCut: false }]), null, 'no power was cut');
  t.equal(outcomeWithoutCuts([result('fail', cut)], [{ powerCut: true }]), null, 'it always was');
});

const outcomes = (...list: MutantOutcome[]) => list.map((outcome) => ({ outcome }));

t.test('the score counts mutants that a test could have noticed', async (t) => {
  const all = outcomes(
    'killed',
    'timed-out',
    'survived',
    'no-verdict',
    'identical',
    'not-compiled',
  );
  const { detected, survived, score, counts } = scoreOf([...all, ...outcomes('killed')]);
  t.equal(detected, 3);
  t.equal(survived, 1);
  t.equal(score?.rate, 0.75);
  const [low = 1, high = 0] = score?.interval ?? [];
  t.ok(low > 0.19 && low < 0.2 && high > 0.99, 'Clopper and Pearson, 3 of 4');
  t.strictSame(counts, {
    ...{ killed: 2, 'timed-out': 1, survived: 1 },
    ...{ 'no-verdict': 1, 'not-compiled': 1, identical: 1 },
  });
  t.equal(scoreOf(outcomes('identical', 'no-verdict')).score, null);
  t.equal(scoreWithoutCuts([{ withoutPowerCut: null }]), null);
  t.equal(scoreWithoutCuts([{ withoutPowerCut: 'survived' }])?.survived, 1);
});

t.test('exit codes', async (t) => {
  const code = (...list: MutantOutcome[]) => exitCodeOfMutants(scoreOf(outcomes(...list)));
  t.equal(code('killed', 'identical', 'not-compiled', 'timed-out'), 0);
  t.equal(code('killed', 'no-verdict', 'survived'), 1);
  t.equal(code('killed', 'no-verdict'), 3);
  t.equal(code('identical'), 3);
  t.equal(code(), 3);
});
