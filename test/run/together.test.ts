import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { UnitResult } from '../../cli/results/run-result.js';
import { runUnits } from '../../cli/run/engine.js';
import { PREPARED, READY, readLog, type Step } from '../util/fake-qemu.js';
import { CLEAN_E2FSCK, proofStep, XFSTESTS_UNIT } from '../util/units.js';

// Many tests in one guest, and the effect of the guest's end on them. The guest is a fake.

const step = (name: string): Step => ({
  console: `[    4.000000] daxrepro: ${name}\n`,
  event: { event: 'step', name },
});

const said = (test: string, more: Record<string, unknown> = {}): Step => ({
  event: {
    event: 'xfstests',
    status: 0,
    timedOut: false,
    files: 'full ',
    output: `${test}   1s ...  1s\n`,
    notrun: '',
    times: `${test} 1\n`,
    expectedOutput: true,
    difference: '',
    dmesgFilter: '',
    watched: true,
    unseenMounts: 0,
    together: true,
    microseconds: 5,
    ...more,
  },
});

const CHECKED: Step[] = [
  { file: { name: 'fsck-test', text: CLEAN_E2FSCK } },
  { event: { event: 'fsck', name: 'test', device: '/dev/pmem0', status: 0 } },
];

/** One test in the middle of a guest, until the host says go. */
const one = (test: string, next: string, during: Step[] = [], more = {}): Step[] => [
  proofStep('before'),
  step('test'),
  ...during,
  said(test, more),
  proofStep('after'),
  ...CHECKED,
  { event: { event: 'over', test, next } },
  // The console comes after the channel: it waits for the kernel's messages.
  { sleep: 50 },
  step(`over ${test}.`),
  { go: true },
];

const BEGINS: Step[] = [{ beat: 100 }, { event: READY }, { request: true }, step('load-module')];
const first = (test: string): Step[] => [
  { event: { event: 'over', test: '', next: test } },
  { go: true },
];
const last = (test: string): Step[] => [
  ...one(test, '').slice(0, -4),
  { event: { event: 'finished' } },
];

const id = (n: number) => `generic/${String(n).padStart(3, '0')}`;

/** Runs the tests 1 to `count`. @param guests what each guest does, by its first test */
async function run(t: Test, count: number, guests: Record<string, Step[]>) {
  const directory = t.testdir();
  const script = join(directory, 'script.json');
  const log = join(directory, 'log');
  writeFileSync(script, JSON.stringify([...BEGINS, { byTest: guests }]));
  process.env['FAKE_QEMU_SCRIPT'] = script;
  process.env['FAKE_QEMU_LOG'] = log;
  const units = Array.from({ length: count }, (_, n) => ({ ...XFSTESTS_UNIT, test: id(n + 1) }));
  const told: string[] = [];
  const results = await runUnits(units, {
    prepared: () => PREPARED,
    directory,
    jobs: 1,
    store: { root: directory },
    checkpoints: false,
    together: true,
    progress: () => {},
    replay: ({ test }, after) => [...after, test].join(' '),
    observer: {
      unitStarted: () => {},
      unitStep: () => {},
      unitFinished: ({ test }) => told.push(test),
    },
  });
  const requests = readLog(log).flatMap(
    ({ request }) => request?.['TOGETHER'] ?? request?.['TEST'] ?? [],
  );
  return { results, told, requests, directory };
}

const brief = (results: UnitResult[]) =>
  results.map(({ test, verdict, together }) => [
    test,
    verdict,
    together ? `${together.guest}.${together.position}` : 'alone',
  ]);

t.test('continues in a new guest after the guest dies in the third of ten', async (t) => {
  const panic: Step = { console: '[    9.000000] Kernel panic - not syncing: at the third\n' };
  const { results, told, requests, directory } = await run(t, 10, {
    [`together ${id(1)}`]: [
      ...first(id(1)),
      ...one(id(1), id(2)),
      ...one(id(2), id(3)),
      proofStep('before'),
      step('test'),
      panic,
      { exit: 0 },
    ],
    [`together ${id(4)}`]: [
      ...first(id(4)),
      ...[4, 5, 6, 7, 8, 9].flatMap((n) => one(id(n), id(n + 1))),
      ...last(id(10)),
    ],
  });
  t.strictSame(brief(results), [
    [id(1), 'pass', '1.1'],
    [id(2), 'pass', '1.2'],
    [id(3), 'fail', '1.3'],
    ...[4, 5, 6, 7, 8, 9, 10].map((n) => [id(n), 'pass', `2.${n - 3}`]),
  ]);
  t.match(results[2], {
    outcome: 'crashed',
    reason: /the kernel panicked: .*at the third; 2 tests ran in this guest before it$/,
    replay: `${id(1)} ${id(2)} ${id(3)}`,
    together: { after: [id(1), id(2)], alone: id(3) },
  });
  t.strictSame(
    told,
    results.map(({ test }) => test),
    'each result is reported as soon as it is known',
  );
  t.equal(requests[1], [4, 5, 6, 7, 8, 9, 10].map(id).join(' '));
  const log = (result: UnitResult | undefined) =>
    readFileSync(join(directory, result?.artifacts['console'] ?? ''), 'utf8');
  t.match(log(results[2]), 'at the third');
  t.notMatch(log(results[1]), 'at the third');
  for (const { verdict, dax } of results) if (verdict === 'pass') t.ok(dax.proven);
});

t.test('gives the rest another guest after anything but a pass', async (t) => {
  const { results } = await run(t, 3, {
    [`together ${id(1)}`]: [
      ...first(id(1)),
      ...one(id(1), id(2), [], { files: 'out.bad ', difference: '-a\n+b\n' }),
      ...last(id(2)),
    ],
    [`together ${id(2)}`]: [...first(id(2)), ...one(id(2), id(3)), ...last(id(3))],
  });
  t.strictSame(brief(results), [
    [id(1), 'fail', '1.1'],
    [id(2), 'pass', '2.1'],
    [id(3), 'pass', '2.2'],
  ]);
});

t.test("blames the kernel's last messages on the test that ends, not on the next", async (t) => {
  const warning =
    '[    5.000000] WARNING: CPU: 0 PID: 9 at fs/dax.c:1 dax_x+0x1/0x2\n[    5.000000] Call Trace:\n';
  const late = one(id(1), id(2)).flatMap((a): Step[] =>
    a.sleep === undefined ? [a] : [a, { console: warning }],
  );
  const { results } = await run(t, 2, {
    [`together ${id(1)}`]: [...first(id(1)), ...late],
    [`together ${id(2)}`]: [...first(id(2)), ...last(id(2))],
  });
  t.match(results, [
    { verdict: 'fail', outcome: 'kernel-log', findings: [{ kind: 'warning' }] },
    { verdict: 'pass', findings: { length: 0 } },
  ]);
});

t.test('runs a test that check skips alone, in its place', async (t) => {
  const alone: Step[] = [
    proofStep('before'),
    said(id(1), { together: false, output: `${id(1)} - unknown test, ignored\n`, times: '' }),
    proofStep('after'),
    ...CHECKED,
    { event: { event: 'finished' } },
  ];
  const { results, requests } = await run(t, 3, {
    [`together ${id(1)}`]: first(id(2)),
    [id(1)]: alone,
    [`together ${id(2)}`]: [...first(id(2)), ...one(id(2), id(3)), ...last(id(3))],
  });
  t.equal(requests.length, 3);
  t.match(brief(results).slice(1), [
    [id(2), 'pass', '2.1'],
    [id(3), 'pass', '2.2'],
  ]);
  t.match(results[0], { verdict: 'invalid', outcome: 'unknown-test', together: undefined });
});

t.test('rejects a guest that reports another test than the running one', async (t) => {
  const { results } = await run(t, 2, {
    [`together ${id(1)}`]: [...first(id(1)), ...one(id(2), id(2))],
    [`together ${id(2)}`]: [...first(id(2)), ...last(id(2))],
  });
  t.match(results, [
    {
      verdict: 'error',
      ending: 'protocol-violation',
      reason: /reported test generic\/002 while generic\/001/,
    },
    { verdict: 'pass' },
  ]);
});

t.test('gives no pass to a test of many without its proof', async (t) => {
  const unproven = one(id(2), id(3)).filter(
    ({ event }) => (event as { when?: string })?.when !== 'before',
  );
  const { results } = await run(t, 3, {
    [`together ${id(1)}`]: [...first(id(1)), ...one(id(1), id(2)), ...unproven],
    [`together ${id(3)}`]: [...first(id(3)), ...last(id(3))],
  });
  t.strictSame(
    results.map(({ verdict }) => verdict),
    ['pass', 'error', 'pass'],
  );
});
