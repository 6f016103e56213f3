import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type DiffCommandOptions, diffCommand } from '../../cli/commands/diff.js';
import { captured } from '../util/captured.js';
import { comparison, EARLY_RETURN } from '../util/comparisons.js';
import { WHOLE_BISECTION } from '../util/kept.js';
import { RESULT } from '../util/results.js';

const parent = t.testdir();

function keep(name: string, result: object): string {
  const directory = join(parent, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'result.json'), JSON.stringify(result));
  return directory;
}

const good = keep('good', comparison());
const bad = keep('bad', comparison(EARLY_RETURN));
const run = keep('run', RESULT);
const broken = keep('broken', { units: 'none' });

const daxrepro = (before?: string, after?: string, options: DiffCommandOptions = {}) =>
  captured(() => diffCommand(before, after, options, ['diff']));

t.test('compares kept runs', async (t) => {
  const worse = await daxrepro(good, bad, { json: true });
  t.equal(worse.code, 1);
  const json = JSON.parse(worse.stdout);
  t.match(json, { schemaVersion: 1, conclusion: 'worse', counts: { worse: 1, same: 3 } });
  t.match(json.cells, [{ fs: 'ext2', before: { verdict: 'pass' }, after: { verdict: 'fail' } }]);
  t.equal((await daxrepro(bad, good)).code, 0);
  t.equal((await daxrepro(good, good, { before: [bad] })).code, 0, 'it failed there before');
  const named = await daxrepro(undefined, undefined, { before: [good], after: [bad] });
  t.equal(named.code, 1, 'by options alone');
  t.match(await daxrepro(good, run), { code: 0, stdout: /only before/ });
});

t.test(
  'compares the newest run with the latest earlier run of one of its tests by default',
  async (t) => {
    const runs = { '20260101-000000-ext2-a-1': comparison() };
    const other = { ...RESULT, units: RESULT.units.map((unit) => ({ ...unit, test: 'dax/acl' })) };
    const later = {
      '20260102-000000-ext2-b-1': comparison(EARLY_RETURN),
      '20260103-000000-ext2-c-1': other,
      '20260104-000000-ext2-d-1': comparison(EARLY_RETURN),
      '20260105-000000-ext2-shell-1': { ...RESULT, shell: { status: 0 } },
      '20260106-000000-ext2-e-1': WHOLE_BISECTION,
    };
    const state = t.testdir({
      daxrepro: { runs: { '20260107-000000-ext2-f-1': { 'result.json': '{' } } },
    });
    const before = process.env['XDG_STATE_HOME'];
    process.env['XDG_STATE_HOME'] = state;
    t.teardown(() => {
      if (before === undefined) delete process.env['XDG_STATE_HOME'];
      else process.env['XDG_STATE_HOME'] = before;
    });
    const keepAll = (all: Record<string, object>) => {
      for (const [name, result] of Object.entries(all)) {
        const directory = join(state, 'daxrepro/runs', name);
        mkdirSync(directory);
        writeFileSync(join(directory, 'result.json'), JSON.stringify(result));
      }
    };
    t.match(await daxrepro(), { code: 2, stderr: /no run of `run` or `compare`/ });
    keepAll(runs);
    t.match(await daxrepro(), {
      code: 2,
      stderr: /no run before .*-a-1 that ran one of its tests/,
    });
    keepAll(later);
    t.match(await daxrepro(), { code: 0, stdout: /before[\s\S]*-b-1 [\s\S]*after[\s\S]*-d-1 / });
  },
);

t.test('rejects wrong usage', async (t) => {
  for (const [before, after, options, words] of [
    [good, undefined, {}, /two sides/],
    [good, join(parent, 'none'), {}, /There is no run/],
    [good, broken, {}, /not a result of daxrepro/],
    [good, bad, { json: true, mail: true }, /both write to stdout/],
  ] as const) {
    t.match(await daxrepro(before, after, options), { code: 2, stdout: '', stderr: words });
  }
});
