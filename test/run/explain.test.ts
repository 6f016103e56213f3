import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Unit } from '../../cli/plan/unit.js';
import { runUnits } from '../../cli/run/engine.js';
import { Explainer } from '../../cli/run/explain.js';
import { PREPARED, readLog, type Step } from '../util/fake-qemu.js';
import { CORRUPT_E2FSCK, unitSteps, XFSTESTS_UNIT } from '../util/units.js';

// --explain: failing units run once more. The guests are fakes.

const UNIT: Unit = { ...XFSTESTS_UNIT, suite: { name: 'builtin', version: '1' } };

const PASSES = unitSteps();
const FAILS = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });
const TRACE: Step[] = [
  {
    event: {
      ...{ event: 'trace', devices: 'pmem0=259:0 pmem1=259:1' },
      ...{ problem: '', without: '', lost: 0 },
    },
  },
  {
    file: {
      name: 'write-back',
      text: ' ln-9 [000] ..... 4.5: writeback_dirty_folio: bdi 259:0: ino=2 index=0\n',
    },
  },
];
/** The same, plus the report of a guest that was asked to trace. */
const traced = (steps: Step[]): Step[] => [...steps.slice(0, -1), ...TRACE, ...steps.slice(-1)];

interface Options {
  attempts?: number;
  explainer?: Explainer | undefined;
  signal?: AbortController;
}

/** @param again what a guest does in the second run, instead of `first` */
async function run(t: Test, first: Step[], again: Step[], options: Options = {}) {
  const { attempts = 1, signal } = options;
  const explainer = 'explainer' in options ? options.explainer : new Explainer();
  const directory = t.testdir();
  const log = join(directory, 'log');
  const script = (steps: Step[]) =>
    writeFileSync(join(directory, 'script.json'), JSON.stringify(steps));
  script(first);
  process.env['FAKE_QEMU_SCRIPT'] = join(directory, 'script.json');
  process.env['FAKE_QEMU_LOG'] = log;
  const units = Array.from({ length: attempts }, (_, n) => ({ ...UNIT, attempt: n + 1 }));
  const told: string[] = [];
  const results = await runUnits(units, {
    prepared: () => PREPARED,
    directory,
    jobs: 1,
    store: { root: directory },
    checkpoints: false,
    explainer,
    progress: ({ text }) => told.push(text),
    replay: () => 'daxrepro run',
    observer: {
      unitStarted: () => script(first),
      unitStep: (_, __, step) => {
        if (step !== 'again: boot') return;
        script(again);
        signal?.abort();
      },
      unitFinished: ({ explanation }) => told.push(explanation ? 'explained' : 'finished'),
    },
    ...(signal ? { signal: signal.signal } : {}),
  });
  const requests = readLog(log).flatMap(({ request }) => (request ? [request['TRACE']] : []));
  return { results, told, requests, directory };
}

const SIGNATURE = 'e2fsck:directory-inode-block-offset-directory-corrupted';

t.test('runs a failing unit again, and keeps the verdict of the first run', async (t) => {
  const { results, told, requests, directory } = await run(t, FAILS, traced(FAILS));
  const [result] = results;
  t.match(result, {
    verdict: 'fail',
    explanation: {
      ran: true,
      verdict: 'fail',
      signatures: { again: [SIGNATURE], gone: { length: 0 }, added: { length: 0 } },
      trace: { known: true, inodes: [{ device: 'pmem0', inode: 2, pagesDirtied: { times: 1 } }] },
      artifacts: { 'write-back': '001-ext4-generic-002/explain/write-back.txt' },
    },
  });
  t.strictSame(requests, [undefined, '1']);
  t.match(told, ['Running ext4 generic/002 again, with write-back traced', 'explained']);
  const kept = (file: string) =>
    readFileSync(join(directory, '001-ext4-generic-002', file), 'utf8');
  t.match(JSON.parse(kept('unit.json')), { explanation: { ran: true } });
  t.match(kept('explain/write-back.txt'), /^ ln-9 /);
  t.match(kept('fsck-test.txt'), 'directory corrupted', 'the first is unchanged');
});

t.test('changes nothing if the failure does not recur or nothing was traced', async (t) => {
  const { results } = await run(t, FAILS, PASSES);
  t.match(results, [
    {
      verdict: 'fail',
      explanation: {
        ran: true,
        verdict: 'pass',
        signatures: { again: { length: 0 }, gone: [SIGNATURE], added: { length: 0 } },
        trace: { known: false, reason: 'the guest ended before it could report this' },
      },
    },
  ]);
});

t.test('runs nothing again if the unit passes or it was not requested', async (t) => {
  for (const [steps, explainer] of [
    [PASSES, new Explainer()],
    [FAILS, undefined],
  ] as const) {
    const { results, requests, directory } = await run(t, steps, FAILS, { explainer });
    t.strictSame(requests, [undefined]);
    t.notOk(results[0]?.explanation);
    t.notOk(existsSync(join(directory, '001-ext4-generic-002/explain')));
  }
});

t.test('explains repeated failures of one kind once', async (t) => {
  const { results, requests } = await run(t, FAILS, traced(FAILS), { attempts: 3 });
  t.strictSame(requests, [undefined, '1', undefined, undefined]);
  t.strictSame(
    results.map(({ explanation }) => explanation !== undefined),
    [true, false, false],
  );
});

t.test('does not run a unit again whose guest died and cannot return a trace', async (t) => {
  const said = '[    9.000000] Kernel panic - not syncing: at once\n';
  const panic = unitSteps({ during: [{ console: said }, { exit: 0 }] });
  const { results, requests } = await run(t, panic, FAILS);
  t.match(results, [
    {
      verdict: 'fail',
      explanation: { ran: false, reason: /that ends like this \(panic\) cannot/ },
    },
  ]);
  t.strictSame(requests, [undefined]);
});

t.test('keeps the first result when interrupted', async (t) => {
  const { results } = await run(t, FAILS, FAILS, { signal: new AbortController() });
  t.match(results, [{ verdict: 'fail', ending: 'finished', explanation: undefined }]);
});
