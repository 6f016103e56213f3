import t from 'tap';
import { type BisectionWork, Engine } from '../../cli/bisect/engine.js';
import { type BisectionPlan, planBisection } from '../../cli/bisect/plan.js';
import { dice, linearChanges } from '../../cli/bisect/simulate.js';
import { type BisectionState, newState } from '../../cli/bisect/state.js';
import type { Prepared } from '../../cli/launch/prepared.js';
import { failure, success } from '../../cli/outcome.js';

/** The engine with simulated builds and runs. */

const LIMITS = { confidence: 0.95, leastRate: 0.01, maxRuns: 1000 };

function planned(count: number): BisectionPlan {
  const plan = planBisection('good', linearChanges(count));
  if (!plan.ok) throw new Error(plan.failure.message);
  return plan.value;
}

interface World {
  plan: BisectionPlan;
  /** The first bad change. */
  truth: number;
  rate?: number;
  /** Builds that fail. */
  broken?: readonly number[];
  /** The outcome of a run depends on build and attempt only, as with seeds. */
  outcome?: (build: number, attempt: number) => 'good' | 'bad' | 'unknown';
}

function go(
  world: World,
  state: BisectionState,
  { jobs = 2, killAfter = Number.POSITIVE_INFINITY } = {},
) {
  const { plan, truth, rate = 1, broken = [] } = world;
  const interruption = new AbortController();
  const ran: string[] = [];
  const built: number[] = [];
  let most = 0;
  let running = 0;
  let learned = 0;
  /** The state on disk at the time of the kill. */
  let kept = JSON.stringify(state);
  const work: BisectionWork = {
    prepare: async (build) => {
      built.push(build);
      await turns(3);
      return broken.includes(build)
        ? failure('build-failed', `build ${build} does not compile`, 'Nothing')
        : success({} as Prepared);
    },
    run: async (build, _prepared, attempt) => {
      running += 1;
      most = Math.max(most, running);
      await turns(2);
      running -= 1;
      ran.push(`${build} ${attempt}`);
      const bad = (plan.builds[build]?.change ?? -1) >= truth;
      const fails = bad && dice(build * 1000 + attempt)() < rate;
      const outcome = world.outcome?.(build, attempt) ?? (fails ? 'bad' : 'good');
      return success({
        ...{ seed: attempt, outcome, reason: '', signatures: [], seconds: 1, folders: [] },
        verdict: outcome === 'bad' ? ('fail' as const) : ('pass' as const),
      });
    },
    buildSeconds: () => 5,
    learned: (_what, known) => {
      if (learned >= killAfter) return;
      learned += 1;
      kept = JSON.stringify(known);
      if (learned >= killAfter) interruption.abort();
    },
  };
  const engine = new Engine(plan, state, work, {
    ...{ limits: LIMITS, jobs, signal: interruption.signal },
  });
  return engine.go().then((ended) => ({
    ...{ ended, ran, built, most },
    kept: JSON.parse(kept) as BisectionState,
  }));
}

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

t.test(
  'finds the change with few builds, each built once, and respects the limit of guests',
  async (t) => {
    const plan = planned(64);
    const { ended, built, most } = await go({ plan, truth: 41 }, newState('q', 1));
    t.match(ended, { ok: true, value: { type: 'found', changes: [41] } });
    t.equal(new Set(built).size, built.length);
    t.ok(built.length < 20, `${built.length} builds`);
    t.equal(most, 2);
  },
);

t.test('resumes after a kill at any moment with the same answer, and repeats no run', async (t) => {
  const plan = planned(16);
  const world = { plan, truth: 9, rate: 0.5, broken: [5] };
  const whole = await go(world, newState('q', 1));
  t.match(whole.ended, { ok: true, value: { type: 'found', changes: [9] } });
  const events = whole.kept.runs.length + whole.kept.builds.length;
  for (let killAfter = 1; killAfter < events; killAfter += 1) {
    const killed = await go(world, newState('q', 1), { killAfter });
    t.match(killed.ended, { ok: false, failure: { kind: 'interrupted' } });
    const known = killed.kept.runs.map(({ change, attempt }) => `${change} ${attempt}`);
    const resumed = await go(world, structuredClone(killed.kept));
    t.match(
      resumed.ended,
      { ok: true, value: { type: 'found', changes: [9] } },
      `after ${killAfter}`,
    );
    const all = resumed.kept.runs.map(({ change, attempt }) => `${change} ${attempt}`);
    t.equal(new Set(all).size, all.length, 'no attempt is repeated');
    t.strictSame(all.slice(0, known.length), known, 'earlier runs are kept');
    const names = (build: number) => plan.changes[plan.builds[build]?.change ?? -1]?.id ?? 'good';
    const again = resumed.ran.map((one) => {
      const [build = 0, attempt] = one.split(' ').map(Number);
      return `${names(build)} ${attempt}`;
    });
    t.notOk(
      again.some((one) => known.includes(one)),
      'nor run again',
    );
  }
});

t.test('skips a build that fails, and reports it', async (t) => {
  const plan = planned(16);
  const { ended, kept } = await go({ plan, truth: 7, broken: [7, 8, 9] }, newState('q', 1));
  // Builds 7 to 9 are those of changes 6 to 8.
  t.match(ended, { ok: true, value: { type: 'found', changes: [6, 7, 8, 9] } });
  t.match(
    kept.builds.find(({ ok }) => !ok),
    { reason: /does not compile/ },
  );
});

t.test('gives up a build after two runs without an outcome', async (t) => {
  const plan = planned(4);
  const outcome = (build: number) => (build === 2 ? 'unknown' : build > 2 ? 'bad' : 'good');
  const { ended, ran } = await go({ plan, truth: 2, outcome }, newState('q', 1), { jobs: 1 });
  t.match(ended, { ok: true, value: { type: 'found', changes: [1, 2] } });
  t.equal(ran.filter((one) => one.startsWith('2 ')).length, 2);
});

t.test('reports a good end that fails, and a bad end that passes or does not build', async (t) => {
  const plan = planned(8);
  const all = await go({ plan, truth: -1 }, newState('q', 1));
  t.match(all.ended, { ok: true, value: { type: 'good-fails' } });
  const none = await go({ plan, truth: 99 }, newState('q', 1));
  t.match(none.ended, { ok: true, value: { type: 'not-seen', runs: 299 } });
  const bad = await go({ plan, truth: 3, broken: [8] }, newState('q', 1));
  t.match(bad.ended, { ok: true, value: { type: 'bad-untestable' } });
});

t.test('stops at a failure outside of the kernel', async (t) => {
  const plan = planned(8);
  const work: BisectionWork = {
    prepare: async () => failure('storage', 'no space left', 'Make room'),
    run: async () => failure('interrupted', 'never', 'never'),
    buildSeconds: () => 1,
    learned: () => t.fail('nothing is learned'),
  };
  const { signal } = new AbortController();
  const engine = new Engine(plan, newState('q', 1), work, { limits: LIMITS, jobs: 2, signal });
  t.match(await engine.go(), { ok: false, failure: { kind: 'storage' } });
});
