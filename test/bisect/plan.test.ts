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

t.test('changes of which the same is built are one build, and no suspects', async (t) => {
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
  t.strictSame(plan.question.builds, [1, 2, 3], 'each is bad under the first so many');
  t.equal(plan.bad, 2);
});

t.test('what was undone again is not what did it', async (t) => {
  const plan = planned([
    change('a', [GOOD]),
    change('b', [0]),
    change('revert b', [1], 'a'),
    change('c', [2]),
  ]);
  const suspects = plan.hypotheses.filter((_, at) => (plan.question.prior[at] ?? 0) > 0);
  t.strictSame(suspects, [GOOD, 0, 3]);
});

t.test('a merge is bad by either side, and by itself', async (t) => {
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

t.test('a merge of which the same is built as of one side is no suspect', async (t) => {
  const plan = planned([
    change('a', [GOOD]),
    change('x', [GOOD], 'good'),
    change('m', [0, 1], 'a'),
    change('c', [2]),
  ]);
  t.strictSame(plan.hypotheses, [GOOD, 0, 3]);
});

t.test('ends of which the same is built', async (t) => {
  for (const changes of [
    [change('docs', [GOOD], 'good')],
    [change('a', [GOOD]), change('revert a', [0], 'good')],
  ]) {
    t.match(planBisection('good', changes), { ok: false, failure: { kind: 'usage' } });
  }
});
