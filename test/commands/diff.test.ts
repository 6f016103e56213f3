import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type DiffCommandOptions, diffCommand } from '../../cli/commands/diff.js';
import { captured } from '../util/captured.js';
import { comparison, EARLY_RETURN } from '../util/comparisons.js';
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

t.test('diff of kept runs', async (t) => {
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

t.test('usage', async (t) => {
  for (const [before, after, options, words] of [
    [good, undefined, {}, /two sides/],
    [good, join(parent, 'none'), {}, /There is no run/],
    [good, broken, {}, /no result of daxrepro/],
    [good, bad, { json: true, mail: true }, /both want stdout/],
  ] as const) {
    t.match(await daxrepro(before, after, options), { code: 2, stdout: '', stderr: words });
  }
});
