import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runMutants, type Work } from '../../cli/mutate/engine.js';
import { findState, type MutationState, newState, writeState } from '../../cli/mutate/state.js';
import { keyOf, type PlannedTest } from '../../cli/mutate/work.js';
import { failure, success } from '../../cli/outcome.js';
import type { BaseTest, Mutant, MutantEnding } from '../../cli/results/mutation-result.js';
import { XFSTESTS_UNIT } from '../util/units.js';

const planned = (test: string, powerCut = false): PlannedTest => ({
  unit: { ...XFSTESTS_UNIT, test, ...(powerCut ? { powerCut: { cuts: 1, states: 1 } } : {}) },
  request: {} as PlannedTest['request'],
});

const mutant = (number: number): Mutant => ({
  ...{ number, operator: 'call-removed', file: 'fs/ext2/inode.c', line: number, column: 1 },
  ...{ function: 'f', patch: `mutants/00${number}.patch`, diff: `diff ${number}` },
});

const SURVIVED: MutantEnding = {
  ...{ outcome: 'survived', withoutPowerCut: null, reason: 'all passed', test: null },
  ...{ finding: null, tests: 1, buildSeconds: 1, seconds: 1, folders: [], replay: null },
};

const TESTS = [planned('slow'), planned('cut', true), planned('fails'), planned('quick')];
const SECONDS: Record<string, number> = { slow: 9, cut: 1, fails: 0.1, quick: 2 };

function fake(more: Partial<Work> = {}) {
  const calls: string[] = [];
  const work: Work = {
    base: async (test) => {
      const { test: name } = keyOf(test);
      calls.push(`base ${name}`);
      const verdict = name === 'fails' ? 'fail' : 'pass';
      return success({ ...keyOf(test), verdict, reason: 'r', seconds: SECONDS[name] ?? 0 });
    },
    mutant: async ({ number }, tests) => {
      calls.push(`${number}: ${tests.map(({ unit }) => unit.test).join(' ')}`);
      return success(SURVIVED);
    },
    ...more,
  };
  return { work, calls };
}

const options = (mutants: Mutant[], more = {}) => ({
  ...{ tests: TESTS, mutants, jobs: 1, learned: () => {} },
  ...more,
});

t.test('the unchanged module comes first, and what fails there kills nothing', async (t) => {
  const { work, calls } = fake();
  const state = newState('q');
  t.ok((await runMutants(state, work, options([mutant(1), mutant(2)]))).ok);
  t.strictSame(calls.slice(0, 4), ['base slow', 'base cut', 'base fails', 'base quick']);
  t.strictSame(calls.slice(4), ['1: quick slow cut', '2: quick slow cut'], 'the quickest first');
  t.equal(state.mutants.length, 2);
});

t.test('no mutant runs if no test passes on the unchanged module', async (t) => {
  const { work, calls } = fake();
  const state = newState('q');
  const only = options([mutant(1)], { tests: [planned('fails')] });
  t.ok((await runMutants(state, work, only)).ok);
  t.strictSame(calls, ['base fails']);
  t.strictSame(state.mutants, []);
});

t.test(
  'a failure of ours ends the run, keeps what is known, and a resumed one goes on',
  async (t) => {
    const directory = t.testdir();
    const broken = fake({
      mutant: async ({ number }) =>
        number === 2
          ? failure('storage', 'the disk is full', 'Free some space')
          : success(SURVIVED),
    });
    const state = newState('q');
    const run = join(directory, '1-run');
    mkdirSync(run);
    const learned = () => writeState(run, state);
    const ended = await runMutants(state, broken.work, options([1, 2, 3].map(mutant), { learned }));
    t.match(ended, { ok: false, failure: { kind: 'storage' } });

    const kept = findState(directory, 'q')?.state as MutationState;
    t.strictSame(
      kept.mutants.map(({ number }) => number),
      [1],
    );
    t.equal(kept.base.length, TESTS.length);
    const { work, calls } = fake();
    t.ok((await runMutants(kept, work, options([1, 2, 3, 4].map(mutant)))).ok);
    t.strictSame(calls, ['2: quick slow cut', '3: quick slow cut', '4: quick slow cut']);
  },
);

t.test('two mutants run at a time, and each one once', async (t) => {
  let [now, most] = [0, 0];
  const seen: number[] = [];
  const { work } = fake({
    mutant: async ({ number }) => {
      now += 1;
      most = Math.max(most, now);
      seen.push(number);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return success(SURVIVED);
    },
  });
  const all = Array.from({ length: 9 }, (_, index) => mutant(index + 1));
  t.ok((await runMutants(newState('q'), work, options(all, { jobs: 2 }))).ok);
  t.equal(most, 2);
  t.strictSame(
    seen,
    all.map(({ number }) => number),
  );
});

t.test('only a whole state of the same question is resumed', async (t) => {
  const directory = t.testdir({
    old: { 'state.json': 'not JSON' },
    other: { 'state.json': JSON.stringify(newState('another')) },
    later: { 'state.json': JSON.stringify({ ...newState('q'), schemaVersion: 2 }) },
  });
  t.equal(findState(directory, 'q'), undefined);
  t.equal(findState(join(directory, 'nowhere'), 'q'), undefined);
  const base: BaseTest = { test: 'a', powerCut: false, verdict: 'pass', reason: '', seconds: 1 };
  mkdirSync(join(directory, 'mine'));
  writeFileSync(
    join(directory, 'mine/state.json'),
    JSON.stringify({ ...newState('q'), base: [base] }),
  );
  t.match(findState(directory, 'q'), {
    directory: join(directory, 'mine'),
    state: { base: [base] },
  });
});
