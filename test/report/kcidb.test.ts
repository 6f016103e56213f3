import { createHash } from 'node:crypto';
import t from 'tap';
import type { Inputs } from '../../cli/inputs/schema.js';
import { formatKcidb, type KcidbOptions, kcidbOf } from '../../cli/report/kcidb/document.js';
import { kcidbOptions } from '../../cli/report/kcidb/options.js';
import type { KeptResult } from '../../cli/results/read.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { hostile } from '../util/hostile.js';
import { KCIDB } from '../util/kcidb-schema.js';
import {
  keptComparison,
  keptRun,
  WHOLE_BISECTION,
  WHOLE_COMPARISON,
  WHOLE_FAILURE,
  WHOLE_RUN,
} from '../util/kept.js';
import { kcidbValidator } from '../util/readers.js';
import { RESULT, UNIT } from '../util/results.js';

const options = (inputs?: Inputs): KcidbOptions => ({
  origin: 'my_ci',
  inputs: new Map(inputs ? [['/runs/1', inputs]] : []),
});

const run = (...units: Partial<UnitResult>[]) =>
  keptRun({ ...RESULT, units: units.map((unit) => ({ ...UNIT, ...unit })) });

const HASHES = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
const NAMES = ['changes/001-v2.patch', 'changes/002-fix.mbox', 'tree.diff'];

/** The inputs of a run of UNIT on a commit. */
function inputs(more: {
  changes?: string[];
  steps?: number;
  tree?: { commit: string; diff?: string };
}): Inputs {
  const { changes = [], steps, tree } = more;
  return {
    ...{ schemaVersion: 1, tool: { name: 'daxrepro', version: '1' }, checkpoints: true },
    ...{ together: false, suite: { name: 'builtin', version: '1' } },
    files: NAMES.map((name, at) => ({ name, sha256: HASHES[at] ?? '', bytes: 1 })),
    requests: [
      {
        ...{ fs: 'ext2', tests: ['generic/002'], kernel: 'debian:6.1', kconfig: [] },
        variant: { name: 'base', changes, ...(steps === undefined ? {} : { steps }) },
        ...{ pmem: 'memmap', timeout: 60, seed: 1, cpus: 1, control: false },
      },
    ],
    kernels: [
      {
        ...{ spec: 'debian:6.1', release: '6.1.0', id: 'abc', compiler: 'gcc 12' },
        image: { sha256: HASHES[0] ?? '', bytes: 1 },
        ...(tree ? { tree } : {}),
      },
    ],
  };
}

t.test('gives each verdict a status', async (t) => {
  const expected = { expectedFailure: { reason: 'known', held: true } };
  const { tests } = kcidbOf(
    [
      run(
        { verdict: 'pass' },
        { verdict: 'fail' },
        { verdict: 'notrun', test: './my repro.sh', suite: { name: 'user', version: '' } },
        { verdict: 'invalid', test: '' },
        { verdict: 'error' },
        { verdict: 'fail', ...expected },
      ),
    ],
    options(),
  );
  t.same(
    tests.map(({ status }) => status),
    ['PASS', 'FAIL', 'SKIP', 'ERROR', 'MISS', 'FAIL'],
  );
  t.equal(tests[0]?.path, 'builtin.ext2.generic.002');
  t.equal(tests[2]?.path, 'user.ext2._.my_repro_sh');
  t.equal(tests[3]?.path, 'builtin.ext2._');
  t.match(tests[5]?.misc, { expected_failure: { reason: 'known' } });
  t.equal(new Set(tests.map(({ id }) => id)).size, 6);
});

t.test('names the commit and the patches, with the hash that KCIDB describes', async (t) => {
  const commit = '0123456789'.repeat(4);
  const [checkout] = kcidbOf(
    [run({})],
    options(inputs({ changes: NAMES.slice(0, 2), tree: { commit, diff: 'tree.diff' } })),
  ).checkouts;
  // sha256sum *.patch | cut -c-64 | sha256sum | cut -c-64
  const lines = [HASHES[2], HASHES[0], HASHES[1]].map((hash) => `${hash}\n`).join('');
  t.match(checkout, {
    git_commit_hash: commit,
    patchset_hash: createHash('sha256').update(lines).digest('hex'),
    patchset_files: [
      { name: 'tree.diff', url: 'file:///runs/1/inputs/tree.diff' },
      { name: '001-v2.patch' },
      { name: '002-fix.mbox' },
    ],
    start_time: '2026-01-01T00:00:00.000Z',
  });
  const [plain] = kcidbOf([run({})], options(inputs({ tree: { commit } }))).checkouts;
  t.equal(plain?.patchset_hash, '');
  t.strictSame(plain?.patchset_files, []);
  t.not(plain?.id, checkout?.id);
});

t.test('says nothing about patches that it does not know or cannot give', async (t) => {
  const files = inputs({ changes: ['changes/001-v2.patch'], steps: 2 });
  const cocci: Inputs = {
    ...inputs({ changes: ['changes/001-a.cocci'] }),
    files: [{ name: 'changes/001-a.cocci', sha256: HASHES[0] ?? '', bytes: 1 }],
  };
  for (const known of [undefined, files, cocci]) {
    const [checkout] = kcidbOf([run({})], options(known)).checkouts;
    t.notOk(checkout && ('patchset_hash' in checkout || 'patchset_files' in checkout));
    t.notOk(checkout && 'git_commit_hash' in checkout);
  }
  t.match(kcidbOf([run({})], options(cocci)).checkouts[0]?.misc, {
    changes: [{ name: 'changes/001-a.cocci', sha256: HASHES[0] }],
  });
});

t.test(
  'makes an issue of each signature, and an incident of each test that shows it',
  async (t) => {
    const { issues, incidents, tests } = kcidbOf(
      [run(WHOLE_FAILURE, { ...WHOLE_FAILURE, attempt: 2 }, {})],
      options(),
    );
    t.same(
      issues.map(({ misc }) => misc?.['signature']),
      WHOLE_FAILURE.findings.map(({ signature }) => signature),
    );
    t.equal(incidents.length, 4);
    for (const { issue_id, test_id, present } of incidents) {
      t.ok(present);
      t.ok(issues.some(({ id }) => id === issue_id));
      t.ok(tests.some(({ id, status }) => id === test_id && status === 'FAIL'));
    }
    const provoked = WHOLE_FAILURE.findings.map((one) => ({ ...one, provoked: 'by the test' }));
    t.same(kcidbOf([run({ findings: provoked })], options()).issues, []);
  },
);

t.test('reports a failed build, and patches that do not apply', async (t) => {
  const failed = (kind: string) =>
    kcidbOf(
      [
        keptComparison({
          ...WHOLE_COMPARISON,
          units: WHOLE_COMPARISON.units.map((unit) =>
            unit.failure ? { ...unit, failure: { ...unit.failure, kind } as never } : unit,
          ),
        }),
      ],
      options(),
    );
  t.match(failed('build-failed').builds, [{ status: 'PASS' }, { status: 'FAIL' }]);
  t.match(failed('change-rejected').checkouts.at(-1), { valid: false });
});

t.test('names files by where they are published', async (t) => {
  const artifacts = { console: '001-a/console.log', output: '001-a/out put.txt', x: '001-a/x' };
  const [test] = kcidbOf([run({ artifacts })], {
    ...options(),
    artifactsUrl: 'https://ci.example.org/runs/',
  }).tests;
  const base = 'https://ci.example.org/runs/1/001-a';
  t.equal(test?.log_url, `${base}/out%20put.txt`);
  t.match(test?.output_files, [
    { name: 'console.log', url: `${base}/console.log` },
    { name: 'x', url: `${base}/x` },
  ]);
});

t.test('rejects an origin or address that KCIDB would not accept', async (t) => {
  for (const words of [
    { origin: 'My CI' },
    { origin: '' },
    { artifactsUrl: 'file:///x' },
    { artifactsUrl: 'https://' },
  ]) {
    t.match(await kcidbOptions('kcidb', [run({})], words), { ok: false });
  }
  t.match(await kcidbOptions('kcidb', [run({})], { origin: 'my_ci' }), { ok: true });
});

const { reader: validate, missing } = kcidbValidator();

t.test('is valid by the schema', async (t) => {
  const bisection: KeptResult = { kind: 'bisect', directory: '/runs/3', result: WHOLE_BISECTION };
  const kept = [keptRun(WHOLE_RUN), keptComparison(WHOLE_COMPARISON), bisection];
  const long = run({ ...WHOLE_FAILURE, reason: '\u{1f4a5}'.repeat(10_000), test: 'x'.repeat(1e4) });
  const texts = [kept, kept.map((one) => ({ ...one, result: hostile(one.result) })), [long]].map(
    (set) => formatKcidb(set as KeptResult[], options()),
  );
  for (const text of texts) t.doesNotThrow(() => KCIDB.parse(JSON.parse(text)));
  t.test("by KCIDB's own validator", { skip: missing ?? false }, async (t) => {
    for (const text of texts) t.doesNotThrow(() => validate?.(text));
    t.throws(() => validate?.('{"version":{"major":5,"minor":3},"tests":[{}]}'));
  });
});
