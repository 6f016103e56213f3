import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readCaseFile } from '../../cli/compare/case-file.js';
import { formatFailure } from '../../cli/outcome.js';
import { runTool } from '../../cli/process/child.js';
import { findProgram } from '../../cli/system/programs.js';
import { isSemantic, readChangeFiles, type Step, stepsOf } from '../../cli/variant/changes.js';
import { pathsOf } from '../../cli/variant/patch.js';

// The bugs that were fixed upstream: each case can be read, and so can the changes that bring its bug back.
// test/real/history.test.ts applies them to a kernel's sources.

const directory = fileURLToPath(new URL('../../fixtures/cases/history', import.meta.url));
const files = readdirSync(directory);
const cases = files.filter((name) => name.endsWith('.yaml'));
const readme = readFileSync(join(directory, 'README.md'), 'utf8');

async function stepsIn(file: string): Promise<Step[]> {
  const read = await readChangeFiles([file]);
  if (!read.ok) throw new Error(formatFailure(read.failure));
  const steps = await Promise.all(read.value.map((one) => stepsOf(one)));
  return steps.flatMap((step) => {
    if (!step.ok) throw new Error(formatFailure(step.failure));
    return step.value;
  });
}

t.ok(cases.length > 0, `${cases.length} cases`);

t.test('each case has a base, a bug, and verdicts for both', async (t) => {
  const used = new Set<string>();
  for (const name of cases) {
    const read = await readCaseFile(join(directory, name));
    t.ok(read.ok, read.ok ? name : formatFailure(read.failure));
    if (!read.ok) continue;
    const { variants, expectations } = read.value;
    t.match(variants, [{ name: 'base', changes: { length: 0 } }], `${name}: the base is unchanged`);
    for (const file of variants.flatMap(({ changes }) => changes)) used.add(basename(file));
    t.ok(
      expectations.some(({ expected }) => expected.verdict === 'fail'),
      `${name} expects a failure`,
    );
    t.match(readme, `(${name})`, `the README lists ${name}`);
  }
  const changes = files.filter((name) => /\.(cocci|patch)$/.test(name));
  t.strictSame([...used].sort(), changes.sort(), 'each change belongs to a case');
});

t.test('each change names its fix, and changes file systems only', async (t) => {
  for (const name of files.filter((one) => /\.(cocci|patch)$/.test(one))) {
    const file = join(directory, name);
    const words = readFileSync(file, 'utf8').replaceAll(/\n(\/\/ )?/g, ' ');
    t.match(
      words,
      /Fixed by (?:[0-9a-f]{12} "[^"]{20,}"|"[^"]{20,}" \(\d\.\d+\))|Not a bug: /,
      `${name} names the fix`,
    );
    for (const step of await stepsIn(file)) {
      if (step.type !== 'patch') continue;
      const paths = await pathsOf(step, t.testdir());
      t.ok(paths.ok, paths.ok ? name : formatFailure(paths.failure));
      if (paths.ok) t.match(paths.value.join(), /^fs\//, `${name}: ${paths.value}`);
    }
  }
});

const skip = findProgram('spatch') === undefined && 'there is no spatch';
t.test('spatch can read the semantic patches', { skip }, async (t) => {
  for (const name of files.filter(isSemantic)) {
    const parsed = await runTool(['spatch', '--parse-cocci', join(directory, name)]);
    t.ok(parsed.ok, `${name}: ${parsed.ok ? '' : parsed.all}`);
  }
});
