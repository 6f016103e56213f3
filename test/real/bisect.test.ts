import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { parse } from 'yaml';
import type { BisectionResult } from '../../cli/results/bisect-result.js';
import { type History, makeHistory } from './kernel-history.js';

// A bisection of 16 commits: by git with our step, by the jobs of docs/ci, and of a series, killed and resumed.
t.setTimeout(30 * 60 * 1000);

const root = fileURLToPath(new URL('../../', import.meta.url));
const launcher = join(root, 'daxrepro');
const KERNEL = ['--kernel', 'debian:6.1'];
const TEST = ['ext2', 'generic/002'];

const top = t.testdir({});
const history: History = await makeHistory(join(top, 'linux'));
const { directory: tree, commits, culprit, git } = history;
const [good = ''] = commits;

function run(argv: readonly string[], env: Record<string, string> = {}) {
  return execa(argv[0] as string, argv.slice(1), {
    ...{ cwd: tree, env: { NODE_OPTIONS: '', ...env }, reject: false, stdin: 'ignore' },
  });
}

t.test('names the first bad commit with git bisect run', async (t) => {
  git('bisect', 'start', 'HEAD', good);
  const step = [launcher, 'bisect', 'run', ...TEST, ...KERNEL, '--out', join(top, 'steps')];
  const { exitCode, stdout, stderr } = await run(['git', 'bisect', 'run', ...step]);
  t.equal(exitCode, 0, stderr);
  t.match(stdout, `${commits[culprit]} is the first bad commit`);
  git('bisect', 'reset');

  // The tree has changed since: the run has what was run.
  const steps = readdirSync(join(top, 'steps')).map((name) => join(top, 'steps', name));
  const resultOf = (step: string) => JSON.parse(readFileSync(join(step, 'result.json'), 'utf8'));
  const bad = steps.find((one) => resultOf(one).verdict === 'fail') ?? '';
  const file = join(top, 'step.tar.gz');
  t.match(await run([launcher, 'bundle', bad, '--output', file]), { exitCode: 0 });
  t.notOk(execFileSync('tar', ['-xOzf', file], { encoding: 'latin1' }).includes(top), 'no paths');
  const again = await run([launcher, 'replay', file, '--json', '--out', join(top, 'again')]);
  t.equal(again.exitCode, 0, again.stderr);
  t.match(JSON.parse(again.stdout), { verdict: 'fail', replay: { conclusion: 'agrees' } });
});

t.test('stops without marking a commit when a step says nothing about the kernel', async (t) => {
  git('bisect', 'start', 'HEAD', good);
  const before = git('bisect', 'log');
  mkdirSync(join(top, 'bin'));
  writeFileSync(join(top, 'bin/qemu-system-x86_64'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const broken: Record<string, [string[], Record<string, string>?]> = {
    'a broken QEMU': [[], { PATH: `${join(top, 'bin')}:${process.env['PATH']}` }],
    'an unwritable place for results': [['--out', '/dev/null/none']],
    'no such option': [['--nonsense']],
  };
  for (const [name, [more, env]] of Object.entries(broken)) {
    const step = [
      launcher,
      'bisect',
      'run',
      ...TEST,
      ...KERNEL,
      '--out',
      join(top, 'none'),
      ...more,
    ];
    const ended = await run(['git', 'bisect', 'run', ...step], env);
    t.not(ended.exitCode, 0, name);
    t.equal(git('bisect', 'log'), before, `${name}: ${ended.stderr.slice(-300)}`);
  }
  git('bisect', 'reset');
});

t.test("rejects a --kernel that differs from the tree's own", async (t) => {
  const file = join(tree, 'mm/filemap.c');
  mkdirSync(dirname(file));
  writeFileSync(file, '/* not what was packaged */\n');
  git('add', '--all');
  const { exitCode, stderr } = await run([launcher, 'bisect', 'run', ...TEST, ...KERNEL]);
  t.equal(exitCode, 128);
  t.match(stderr, /mm\/filemap\.c differs/);
  git('reset', '--quiet', '--hard');
});

t.test('runs the commands of the CI jobs in an empty environment', async (t) => {
  const home = join(top, 'home');
  mkdirSync(join(home, '.cache'), { recursive: true });
  // What the jobs' cache step restores.
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  symlinkSync(join(cache, 'daxrepro'), join(home, '.cache/daxrepro'));
  symlinkSync(root, join(top, 'daxrepro'));
  const { env, jobs } = parse(readFileSync(join(root, 'docs/ci/github-actions.yml'), 'utf8'));
  const summary = join(top, 'summary.md');
  const given = { GITHUB_STEP_SUMMARY: summary, GOOD: good, BAD: 'main' };
  const own = { HOME: home, PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin` };
  const steps = (job: string) =>
    (jobs[job].steps as { run?: string }[]).flatMap(({ run }) => (run ? [run] : []));
  const shell = (script: string, more: Record<string, string> = {}) =>
    execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      ...{ cwd: top, extendEnv: false, env: { ...own, ...env, ...given, ...more } },
      ...{ reject: false, stdin: 'ignore' },
    });
  const results: Record<string, number | undefined> = {};
  const head = git('rev-parse', 'HEAD');
  for (const job of ['test', 'bisect']) {
    for (const script of steps(job)) {
      // The user's own cache must not be cleaned by a test.
      const clean = / cache clean /.test(script);
      const ended = await shell(script, clean ? { XDG_CACHE_HOME: join(top, 'empty') } : {});
      results[job] ||= ended.exitCode;
      if (!/--tree/.test(script)) t.equal(ended.exitCode, 0, `${script}: ${ended.stderr}`);
    }
  }
  t.strictSame(
    results,
    { test: 1, bisect: 0 },
    'the tree is bad, and its first bad change is named',
  );
  const markdown = readFileSync(summary, 'utf8');
  t.match(markdown, /^\| `ext2 generic\/002` \| \*\*fail\*\* \|$/m);
  t.match(markdown, /^## Bisection of `ext2 generic\/002`$/m);
  t.match(markdown, `${commits[culprit]} is the first bad change`);
  const junit = execFileSync('find', [join(top, 'results'), '-name', 'results.xml'], {
    encoding: 'utf8',
  });
  t.match(readFileSync(junit.split('\n')[0] as string, 'utf8'), /<testsuites .*failures="1"/);
  t.equal(git('rev-parse', 'HEAD'), head);
  t.equal(git('status', '--porcelain'), '', 'the tree is unchanged');
});

t.test('resumes the bisection of a series after being killed', async (t) => {
  const series = join(top, 'series.mbox');
  writeFileSync(series, git('format-patch', '--stdout', `${good}..${commits[12]}`));
  const out = join(top, 'series');
  const words = [
    launcher,
    'bisect',
    ...TEST,
    '--series',
    series,
    ...KERNEL,
    '--out',
    out,
    '--seed',
    '3',
  ];
  const [program = '', ...argv] = words;
  const first = execa(program, argv, { env: { NODE_OPTIONS: '' }, reject: false, stdin: 'ignore' });
  let lines = 0;
  for await (const line of first.iterable({ from: 'stderr' })) {
    if (/the best answer/.test(line)) lines += 1;
    if (lines === 4) {
      first.kill('SIGKILL');
      break;
    }
  }
  await first;
  const { exitCode, stdout, stderr } = await run([...words, '--resume', '--json']);
  t.equal(exitCode, 0, stderr);
  t.match(stderr, /[4-9] runs are known already/);
  const result = JSON.parse(stdout) as BisectionResult;
  t.match(result.answer, {
    ending: 'found',
    culprits: [
      { id: '11/12', author: 'A Developer <developer@example.org>', diffstat: /inode\.c/ },
    ],
  });
  t.match(result.answer.culprits[0]?.findings[0]?.signature, /directory-corrupted$/);
  const runs = result.runs.map(({ change, attempt }) => `${change} ${attempt}`);
  t.equal(new Set(runs).size, runs.length, 'nothing was run twice');

  const last = /^0*(\d+)-/.exec(result.runs.at(-1)?.folders[0] ?? '')?.[1];
  const one = [launcher, 'replay', `${result.directory}#${last}`, '--out', join(top, 'again')];
  const again = await run(one);
  t.match(again, { exitCode: 0, stdout: /AGREES/ }, again.stderr);
});
