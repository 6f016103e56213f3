import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { NOT_UNIT, selectFiles } from './select.js';

/** Our own runner, with test files that end in every way. */

const loader = fileURLToPath(new URL('../loader/register.js', import.meta.url));
const runner = fileURLToPath(new URL('run.ts', import.meta.url));

const tap = "import t from 'tap';\n";
const files = t.testdir({
  'passes.test.ts': `${tap}t.test('a', async (t) => { t.ok(1); t.ok(2 as number); });\n`,
  'fails.test.ts': `${tap}t.test('a', async (t) => { t.ok(1); await t.test('b', async (t) => { t.equal(1, 2); }); });
console.log('something else');\n`,
  'skips.test.ts': `${tap}t.test('a', { skip: 'no QEMU' }, async () => {});
t.test('b', async (t) => { t.pass('c', { skip: 'no QEMU' }); t.ok(0, 'd', { todo: 'later' }); });\n`,
  'skips-all.test.ts': `${tap}t.plan(0, 'no gcc');\n`,
  'throws.test.ts': "throw new Error('before any test');\n",
  'no-typescript.test.ts': 'const a: = 1;\n',
  'empty.test.ts': 'export {};\n',
  'exits.test.ts': `${tap}t.pass('a');\nprocess.exit(3);\n`,
  'dies.test.ts': `${tap}t.pass('a');\nprocess.kill(process.pid, 'SIGKILL');\n`,
  'plans.test.ts': `${tap}t.plan(2);\nt.pass('a');\n`,
  'bails.test.ts': `${tap}t.bailout('no disk');\n`,
  'hangs.test.ts': `${tap}setInterval(() => {}, 1000);
t.test('waits', async () => { await new Promise(() => {}); });\n`,
  'leaves.test.ts': `${tap}import { spawn } from 'node:child_process';
t.pass('a');
const child = spawn('sleep', ['30'], { stdio: 'inherit', detached: true });
console.log(\`left \${child.pid}\`);
child.unref();\n`,
  'other.ts': "throw new Error('no test file');\n",
});

async function run(...words: string[]) {
  const argv = [
    '--import',
    loader,
    runner,
    ...words.map((word) => word.replace(/^=/, `${files}/`)),
  ];
  const { exitCode, stdout, stderr } = await execa(process.execPath, argv, { reject: false });
  return { exitCode, stdout, stderr, last: stdout.split('\n').at(-1) };
}

t.test('counts assertions', async (t) => {
  const passed = await run('=passes.test.ts');
  t.match(passed, { exitCode: 0, last: '2 passed, 0 failed' });
  t.match(passed.stdout, /^ok .* s {2}\S*passes\.test\.ts: 2 passed$/m);
});

t.test('reports what failed, where, and its output', async (t) => {
  const failed = await run('=passes.test.ts', '=fails.test.ts');
  t.match(failed, { exitCode: 1, last: '3 passed, 1 failed' });
  t.match(failed.stdout, /not ok: a > b > should be equal/);
  t.match(failed.stdout, /fails\.test\.ts\n +lineNumber: 2/, 'the line of the source');
  t.match(failed.stdout, /It printed:\n +something else/);
  const atEnd = /^Failed:\n {2}\S*fails\.test\.ts\n {4}not ok: a > b > should be equal, line 2$/m;
  t.match(failed.stdout, atEnd, 'said again at the end');
});

t.test('reports what was skipped, and why', async (t) => {
  const skipped = await run('=skips.test.ts', '=skips-all.test.ts');
  t.match(skipped, { exitCode: 0, last: '0 passed, 0 failed, 4 skipped' });
  t.match(skipped.stdout, /^Skipped:\n +2 {2}no QEMU\n +1 {2}later\n +1 {2}no gcc$/m);
});

t.test('counts any other problem as a failure', async (t) => {
  const cases = {
    throws: /the process ended with exit code 1\n(?: +.*\n|\n)+? +Error: before any test/,
    'no-typescript': /the process ended with exit code 1\n(?: +.*\n|\n)+?.*test\.ts:1:9: ERROR/,
    empty: /it has no test/,
    exits: /the process ended with exit code 3/,
    dies: /the process ended with SIGKILL/,
    plans: /test count\(1\) != plan\(2\)/,
    bails: /bailed out: no disk/,
  };
  const names = Object.keys(cases);
  const failed = await run(...names.map((name) => `=${name}.test.ts`));
  t.match(failed, { exitCode: 1, last: `3 passed, ${names.length} failed` });
  for (const [name, { source }] of Object.entries(cases)) {
    const line = `^FAILED .*/${name}\\.test\\.ts: . passed, 1 failed\\n +not ok: `;
    t.match(failed.stdout, new RegExp(line + source, 'm'), name);
  }
});

t.test('ends a test that takes too long', async (t) => {
  const failed = await run('--timeout', '5', '=hangs.test.ts');
  t.match(failed, { exitCode: 1, last: '0 passed, 1 failed' });
  t.match(failed.stdout, /not ok: waits > timeout!/);
});

t.test('does not wait for a process that a test leaves behind', async (t) => {
  const failed = await run('=leaves.test.ts');
  process.kill(Number(/left (\d+)/.exec(failed.stdout)?.[1]));
  t.match(failed, { exitCode: 1, last: '1 passed, 1 failed' });
  t.match(failed.stdout, /not ok: a process that it started is still running/);
});

t.test('ends with the test on a signal', async (t) => {
  const child = spawn(process.execPath, ['--import', loader, runner, `${files}/hangs.test.ts`]);
  const ended = once(child, 'exit');
  // By then tap has begun the test, and the runner has a child to end.
  const tests = async () => (await childrenOf(child.pid ?? 0)).length;
  while ((await tests()) === 0) await new Promise((wake) => setTimeout(wake, 50));
  const [test] = await childrenOf(child.pid ?? 0);
  child.kill('SIGTERM');
  const [code] = await ended;
  t.equal(code, 1);
  t.throws(() => process.kill(Number(test), 0), 'the test is gone');
});

async function childrenOf(pid: number): Promise<string[]> {
  const { stdout } = await execa('pgrep', ['-P', String(pid)], { reject: false });
  return stdout.split('\n').filter((line) => line !== '');
}

t.test('rejects paths without tests', async (t) => {
  t.match(await run('=missing.test.ts'), {
    exitCode: 2,
    stderr: /There is no test file in .*missing/,
  });
  const empty = selectFiles([t.testdir({})], false);
  t.match(empty, { ok: false, problem: /There is no test file in/ });
  t.match(await run('--unknown'), { exitCode: 1, stderr: /Unknown option '--unknown'/ });
});

t.test('compiles a changed source again, whatever its time', async (t) => {
  const source = join(files, 'other.ts');
  const { atime, mtime } = statSync(source);
  for (const word of ['one', 'two']) {
    writeFileSync(source, `const word: string = '${word}';\nconsole.log(word);\n`);
    utimesSync(source, atime, mtime);
    const { stdout } = await execa(process.execPath, ['--import', loader, source]);
    t.equal(stdout, word);
  }
});

t.test('selects unit tests', async (t) => {
  const unit = selectFiles([], true);
  const all = selectFiles([], false);
  t.ok(unit.ok && all.ok && unit.files.length < all.files.length);
  for (const path of NOT_UNIT.flatMap(({ paths }) => paths)) {
    t.ok(all.ok && all.files.some((file) => file.startsWith(path)), `${path} has tests`);
    t.notOk(unit.ok && unit.files.some((file) => file.startsWith(path)), `${path} is left out`);
  }
});
