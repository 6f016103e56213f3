import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import type { Plan } from '../../cli/chunks/schema.js';
import type { RunResult } from '../../cli/results/run-result.js';
import { findProgram } from '../../cli/system/programs.js';
import { ContractRun } from '../util/contract.js';
import { CORRUPT, comparable, guests, Rig, readDocument, TESTS, unitFolders } from './rig.js';

/** `daxrepro plan`, `chunk` and `collect` from the command line, with a fake QEMU. */

const rig = new Rig(t, guests({ 'dax/rename': CORRUPT }));
const RUN = ['run', 'ext4', ...TESTS, '--seed', '7'];

/** Names of the units in each chunk. */
function chunksOf(directory: string): string[][] {
  const { chunks } = readDocument<Plan>(directory, 'plan.json');
  return chunks.map(({ name }) =>
    readDocument<{ units: { unit: { test: string; variant: string; attempt: number } }[] }>(
      directory,
      name,
    ).units.map(({ unit }) => `${unit.test} ${unit.variant} ${unit.attempt}`),
  );
}

t.test('the parts make the run that one machine makes', async (t) => {
  const one = await rig.run([...RUN, ...rig.options, '--json']);
  t.equal(one.exitCode, 1, one.stderr);
  const { directory, exitCode, stdout, stderr } = await rig.plan(RUN, '--chunk', '2');
  t.equal(exitCode, 0, stderr);
  t.match(stdout, /4 units in \d chunks?: about/);
  t.equal(chunksOf(directory).flat().length, 4);
  const { length } = chunksOf(directory);
  for (let number = length; number > 0; number -= 1) {
    const ran = await rig.run(['chunk', directory, String(number)]);
    t.equal(ran.exitCode, 0, ran.stderr);
  }
  const collected = await rig.collect(directory);
  t.equal(collected.exitCode, 1, collected.stderr);
  const whole = JSON.parse(one.stdout) as RunResult;
  t.strictSame(
    comparable(collected.result),
    comparable({ ...whole, command: whole.command.filter((word) => word !== '--json') }),
  );
  ContractRun.parse(collected.result);
  const [unit] = collected.result.units;
  t.match(unit?.machine, { host: String, qemu: /9\.9\.9 \(fake\)/, node: process.version });
  t.match(collected.result.host, { qemu: /9\.9\.9/, cpus: Number });
  t.strictSame(readDocument(directory, 'result.json'), collected.result);
  t.ok(existsSync(join(directory, 'results.xml')));
  t.strictSame(rig.left, []);
  await t.test('reports read the directory as a run', async (t) => {
    const report = await rig.run(['report', directory]);
    t.equal(report.exitCode, 0, report.stderr);
    t.match(report.stdout, /dax\/rename/);
    const text = await rig.run(['collect', directory]);
    t.match(text.stdout, /^machine {2}\S+: 4 units, tcg, QEMU emulator version 9\.9\.9 \(fake\)$/m);
    t.equal(text.exitCode, 1);
  });
  await t.test('a chunk that is done starts nothing', async (t) => {
    const before = readFileSync(rig.log, 'utf8').length;
    const again = await rig.run(['chunk', directory, '1']);
    t.equal(again.exitCode, 0, again.stderr);
    t.match(again.stdout, /from before/);
    t.equal(readFileSync(rig.log, 'utf8').length, before);
  });
});

t.test('a comparison keeps its expectations, and both sides of a test in one chunk', async (t) => {
  const file = rig.caseFile(
    `variants: {base: [], v2: a.patch}\nfilesystems: ext4\ntests: [generic/002, dax/rename]\nexpect: {default: pass, cells: [{test: dax/rename, verdict: fail}]}\n`,
  );
  const words = ['compare', file, '--seed', '3'];
  const one = await rig.run([...words, ...rig.options, '--json']);
  t.equal(one.exitCode, 3, 'a variant that cannot be prepared is an error');
  const { directory, stderr } = await rig.plan(words, '--chunk', '1');
  t.equal(chunksOf(directory).length, 2, stderr);
  for (const number of ['1', '2']) await rig.run(['chunk', directory, number]);
  const collected = await rig.collect(directory);
  t.equal(collected.exitCode, one.exitCode, collected.stderr);
  const held = (result: RunResult) =>
    (result.units as unknown as Record<string, unknown>[]).map(
      ({ variant, test, attempt, verdict, expected, held, failure }) => ({
        ...{ variant, test, attempt, verdict, expected, held, failure },
      }),
    );
  t.strictSame(held(collected.result), held(JSON.parse(one.stdout)));
  t.strictSame(
    (collected.result as unknown as { case: unknown }).case,
    (JSON.parse(one.stdout) as { case: unknown }).case,
  );
});

t.test('a chunk needs Node.js, QEMU and the directory alone', async (t) => {
  const directory = rig.directory();
  const words = ['plan', 'run', 'ext4', 'generic/002', ...rig.options, '--into', directory];
  const planned = await rig.start(words);
  t.equal(planned.exitCode, 0, planned.stderr);
  const copy = `${directory}-copy`;
  cpSync(directory, copy, { recursive: true });
  rmSync(directory, { recursive: true });
  const needed = ['sh', 'setpriv', 'flock', 'cat', 'uname'];
  const programs = Object.fromEntries(needed.map((name) => [name, findProgram(name) ?? name]));
  const path = rig.pathOf({
    ...programs,
    'qemu-system-x86_64': join(rig.bin, 'qemu-system-x86_64'),
    node: process.execPath,
  });
  const env = { ...rig.env({ PATH: path, XDG_CACHE_HOME: join(rig.top, 'other-cache') }) };
  const argv = [join(copy, 'program/dist/main.js'), 'chunk', copy, '1'];
  const ran = await execa(process.execPath, argv, {
    env,
    extendEnv: false,
    reject: false,
    cwd: '/',
  });
  t.equal(ran.exitCode, 0, ran.stderr);
  const collected = await rig.collect(copy);
  t.match(collected.result.units, [{ verdict: 'pass' }]);
  t.equal(collected.exitCode, 0);
  await t.test('another program does not judge a plan', async (t) => {
    t.match(await rig.run(['chunk', copy, '1']), {
      ...{ exitCode: 2, stderr: /made by another version of daxrepro/ },
    });
  });
});

t.test('what is missing is an error, and is planned again', async (t) => {
  const { directory } = await rig.plan(RUN, '--chunk', '1');
  const [[name = ''] = []] = chunksOf(directory);
  const ran = await rig.run(['chunk', directory, '1']);
  t.equal(ran.exitCode, 0, ran.stderr);
  const first = await rig.collect(directory);
  t.equal(first.result.units.length, 4);
  const missing = first.result.units.filter(({ test }) => !name.startsWith(test));
  t.strictSame(
    missing.map(({ verdict }) => verdict),
    ['error', 'error', 'error'],
  );
  t.match(missing[0]?.reason, /the unit has no result: no machine started chunk \d/);
  const rerun = await rig.run(['plan', '--rerun', directory, '--chunk', '10m']);
  t.equal(rerun.exitCode, 0, rerun.stderr);
  t.match(rerun.stdout, /3 units in 1 chunk, of 4 in the run/);
  await rig.run(['chunk', directory, '1']);
  const second = await rig.collect(directory);
  t.strictSame(
    second.result.units.map(({ verdict }) => verdict),
    ['pass', 'fail', 'pass', 'pass'],
  );
  const nothing = await rig.run(['plan', '--rerun', directory]);
  t.match(nothing, { exitCode: 2, stderr: /Every unit in \S+ that can run has a verdict/ });
});

t.test('units without a verdict run again, and keep their old logs', async (t) => {
  const { directory } = await rig.plan(['run', 'ext4', 'generic/002']);
  const { unitSteps } = await import('../util/units.js');
  rig.behave(unitSteps({ proof: { options: 'rw,relatime' } }));
  await rig.run(['chunk', directory, '1']);
  t.equal((await rig.collect(directory)).result.verdict, 'invalid');
  rig.behave(guests({ 'dax/rename': CORRUPT }));
  await rig.run(['plan', '--rerun', directory]);
  await rig.run(['chunk', directory, '1']);
  t.equal((await rig.collect(directory)).result.verdict, 'pass');
  t.equal(readdirSync(join(directory, 'replaced')).length, 1);
});

t.test('wrong words and wrong directories', async (t) => {
  const { directory } = await rig.plan(['run', 'ext4', 'generic/002']);
  const full = await rig.run([
    'plan',
    ...['run', 'ext4', 'generic/002'],
    ...rig.options,
    '--into',
    directory,
  ]);
  t.match(full, { exitCode: 2, stderr: /is not empty/ });
  for (const [words, stderr] of [
    [['plan'], /Nothing is named to plan/],
    [['plan', 'run', '--into', '/nowhere'], /No file system is named/],
    [['plan', 'run', 'ext4', 'generic/002'], /required option '--into <dir>'/],
    [['chunk', directory, '0'], /is not a number from 1/],
    [['chunk', directory, '2'], /has no chunk 2/],
    [['chunk', rig.top, '1'], /is not a planned run: it has no plan.json/],
    [['collect', '/nowhere'], /is not a planned run/],
  ] as const) {
    t.match(await rig.run([...words]), { exitCode: 2, stderr });
  }
  const plan = readFileSync(join(directory, 'plan.json'), 'utf8');
  writeFileSync(join(directory, 'plan.json'), plan.slice(0, -20));
  t.match(await rig.run(['collect', directory]), { exitCode: 2, stderr: /not a whole plan/ });
  writeFileSync(join(directory, 'plan.json'), plan);
  writeFileSync(join(directory, 'kernels/001/initramfs'), 'another one');
  const { XDG_CACHE_HOME: cache } = process.env;
  process.env['XDG_CACHE_HOME'] = join(rig.top, 'empty-cache');
  const changed = await rig.run(['chunk', directory, '1']);
  process.env['XDG_CACHE_HOME'] = cache;
  t.match(changed, { exitCode: 2, stderr: /This input of the plan has changed/ });
});

t.test('a directory that cannot be written: no result, and the reason', async (t) => {
  const { directory } = await rig.plan(['run', 'ext4', 'generic/002']);
  // Root may write where modes forbid it: a file where the directory of logs has to be.
  writeFileSync(join(directory, 'work'), '');
  const ran = await rig.run(['chunk', directory, '1']);
  t.match(ran, { exitCode: 3, stderr: /Cannot write below \S+: (?:a file is in the way|a part)/ });
  t.strictSame(unitFolders(directory), []);
  chmodSync(join(directory, 'work'), 0o644);
  const { result, exitCode } = await rig.collect(directory);
  t.match(result.units, [{ verdict: 'error', reason: /no machine started chunk 1/ }]);
  t.equal(exitCode, 3);
});
