import t from 'tap';
import { answerOf } from '../../cli/bisect/answer.js';
import { planBisection } from '../../cli/bisect/plan.js';
import { findingsOf, pathOf } from '../../cli/bisect/result.js';
import { linearChanges } from '../../cli/bisect/simulate.js';
import { type BisectionState, newState } from '../../cli/bisect/state.js';
import { formatBisectionMail } from '../../cli/report/bisect-mail.js';
import { formatBisection } from '../../cli/report/bisect-text.js';
import { formatReport } from '../../cli/report/format.js';
import type { BisectionResult, Ending, RunEntry } from '../../cli/results/bisect-result.js';
import { shown, WHOLE_BISECTION } from '../util/kept.js';
import { RESULT } from '../util/results.js';

const SIGNATURE = 'e2fsck:directory-inode-block-offset-directory-corrupted';
const LIMITS = { confidence: 0.95, leastRate: 0.01, maxRuns: 1000 };
const changes = linearChanges(8).map((change) => ({
  ...change,
  title: `${change.title} \x1b[31m`,
}));
const planned = planBisection('good', changes);
if (!planned.ok) throw new Error(planned.failure.message);
const plan = planned.value;

/** The numbers of good and bad runs, by build. */
function stateOf(runs: Record<number, [good: number, bad: number]>): BisectionState {
  const state = newState('q', 1);
  for (const [build, [good, bad]] of Object.entries(runs)) {
    const { content, change } = plan.builds[Number(build)] as (typeof plan.builds)[number];
    for (let at = 0; at < good + bad; at += 1) {
      state.runs.push({
        ...{ content, change: plan.changes[change]?.id ?? 'good', attempt: at + 1, seed: at },
        ...{ outcome: at < good ? 'good' : 'bad', verdict: at < good ? 'pass' : 'fail' },
        ...{ reason: '', signatures: at < good ? [] : [SIGNATURE], seconds: 1, folders: [] },
      } as RunEntry);
    }
  }
  state.builds.push({
    content: '3',
    change: 'c3',
    ok: false,
    seconds: 2,
    reason: 'no \x1b[0msemicolon',
  });
  return state;
}

function resultOf(state: BisectionState, ending: Ending): BisectionResult {
  const culprit = { id: 'c5', title: 'change 5 \x1b[31m', author: 'A <a@b>', date: '2016-02-08' };
  const diffstat = ' fs/ext2/inode.c | 4 +++-\n 1 file changed';
  const culprits = [{ ...culprit, diffstat, findings: findingsOf(state, 'c5') }];
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: '0.1.0' },
    command: ['bisect', 'ext2', 'generic/002', '--tree', `/home/${'long/'.repeat(20)}linux`],
    question: {
      ...{ fs: 'ext2', tests: ['generic/002'], signature: null, kernel: 'debian:6.1' },
      ...{ tree: '/linux', good: 'a'.repeat(40), bad: 'b'.repeat(40), changes: 8, builds: 9 },
      ...LIMITS,
    },
    answer: answerOf(plan, state, ending, culprits, LIMITS),
    path: pathOf(plan, state),
    runs: state.runs,
    builds: state.builds,
    host: RESULT.host,
    ...{ started: '2016-02-09T12:00:00Z', durationSeconds: 60, directory: '/runs/1' },
  };
}

const found = resultOf(stateOf({ 0: [1, 0], 4: [5, 0], 5: [0, 2], 8: [1, 2] }), {
  ...{ type: 'found', changes: [4], probability: 0.99 },
});

t.test('shows the change, its failure rate and the effort in HTML', async (t) => {
  const page = formatReport(
    'html',
    shown({ kind: 'bisect', directory: '/b', result: WHOLE_BISECTION }),
    {
      ...{ width: 100, colour: false, from: '/' },
    },
  );
  const [before = '', folded = ''] = page.split('<details>');
  for (const text of ['change 5', 'A &lt;a@b&gt;, 2016-02-08', 'fs/ext2/inode.c | 4 +++-']) {
    t.ok(before.includes(text), text);
  }
  t.match(before, /With this change \d+ % of the runs failed/);
  t.match(before, /<tr class="culprit"><th scope="row"><code>c5</);
  t.match(before, /<td>–<\/td><td>–<\/td>.*skipped: no semicolon/);
  t.match(before, /daxrepro bisect ext2 generic\/002 --tree/);
  t.match(folded, /is the first bad change/);
});

t.test('shows the answer, the change and the path as text', async (t) => {
  const text = formatBisection(found, { width: 100 });
  t.match(text, /^c5 is the first bad change, with a probability of 99 %\./);
  t.match(text, `finding  ${SIGNATURE} (in 2 runs)`);
  t.match(text, /author {3}A <a@b>, 2016-02-08/);
  t.match(text, /With this change 80 % of the runs failed \(95 % interval/);
  t.match(text, /skipped: no /);
  t.match(text, /^c4 +5 +0 /m);
  t.notMatch(text, '\x1b', "a commit's words do nothing to a terminal");
});

t.test('gives probabilities along the path that sum to 1', async (t) => {
  const sum = found.path.reduce((all, { probability }) => all + probability, 0);
  t.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
});

t.test('fits into a mail', async (t) => {
  for (const line of formatBisectionMail(found).split('\n')) {
    t.ok(line.length < 75, line);
    t.notMatch(line, '\x1b');
  }
});

t.test('says why no change was found, and how many more runs are needed', async (t) => {
  const not = resultOf(stateOf({ 8: [299, 0] }), { type: 'not-seen', runs: 299 });
  t.match(
    not.answer.summary,
    /does not show the failure: it never failed in 299 runs.*below 1\.0 %.*598 runs: --least-rate 0\.005/,
  );
  t.strictSame(not.answer.culprits, []);
  const both = resultOf(stateOf({ 0: [1, 1], 8: [0, 1] }), { type: 'good-fails' });
  t.match(both.answer.summary, /failed in 1 of 2 runs, and the bad end in 1 of 1/);
  const noise = resultOf(stateOf({ 0: [1, 0], 8: [1, 1] }), {
    ...{ type: 'gave-up', changes: [4], probability: 0.2, needed: 60 },
  });
  t.match(noise.answer, { summary: /too few runs for an answer/, runsNeeded: 60 });
});
