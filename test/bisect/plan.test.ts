import t from 'tap';
import { type Change, GOOD, planBisection } from '../../cli/bisect/plan.js';

const change = (id: string, parents: number[], content = id): Change => ({
  id,
  title: `change ${id}`,
  parents,
  content,
});

function planned(changes: Change[], good = 'good') {
  const plan = planBisection(good, changes);
  if (!plan.ok) throw new Error(plan.failure.message);
  return plan.value;
}

t.test('makes one build of changes that build the same, and excludes them as causes', async (t) => {
  const plan = planned([
    change('docs', [GOOD], 'good'),
    change('a', [0]),
    change('more docs', [1], 'a'),
    change('b', [2]),
  ]);
  t.strictSame(plan.hypotheses, [GOOD, 1, 3]);
  t.strictSame(
    plan.builds.map(({ change }) => change),
    [GOOD, 1, 3],
  );
  t.strictSame(plan.question.builds, [1, 2, 3], 'each is bad under the first N hypotheses');
  t.equal(plan.bad, 2);
});

t.test('excludes a change that was reverted', async (t) => {
  const plan = planned([
    change('a', [GOOD]),
    change('b', [0]),
    change('revert b', [1], 'a'),
    change('c', [2]),
  ]);
  const suspects = plan.hypotheses.filter((_, at) => (plan.question.prior[at] ?? 0) > 0);
  t.strictSame(suspects, [GOOD, 0, 3]);
});

t.test('takes a merge as bad if either side is, or the merge itself', async (t) => {
  //   a - b - m - c
  //     x ---/
  const plan = planned([
    change('a', [GOOD]),
    change('x', [GOOD]),
    change('b', [0]),
    change('m', [2, 1]),
    change('c', [3]),
  ]);
  t.strictSame(plan.hypotheses, [GOOD, 0, 1, 2, 3, 4]);
  const under = plan.question.builds.map((bad) => (typeof bad === 'number' ? bad : [...bad]));
  t.strictSame(under, [1, 2, [0, 2], [0, 1, 3], 5, 6]);
});

t.test('excludes a merge that builds the same as one side', async (t) => {
  const plan = planned([
    change('a', [GOOD]),
    change('x', [GOOD], 'good'),
    change('m', [0, 1], 'a'),
    change('c', [2]),
  ]);
  t.strictSame(plan.hypotheses, [GOOD, 0, 3]);
});

t.test('rejects ends that build the same', async (t) => {
  for (const changes of [
    [change('docs', [GOOD], 'good')],
    [change('a', [GOOD]), change('revert a', [0], 'good')],
  ]) {
    t.match(planBisection('good', changes), { ok: false, failure: { kind: 'usage' } });
  }
});
