import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { parse } from 'yaml';

/** The job files of docs/ci/, by the schemas of those who read them. What is in them is run in test/real. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => readFileSync(`${root}docs/ci/${name}`, 'utf8');
const require = createRequire(import.meta.url);

t.test('GitHub Actions', async (t) => {
  const { validateWorkflow } = require('@action-validator/core') as {
    validateWorkflow: (text: string) => { errors: unknown[] };
  };
  const text = read('github-actions.yml');
  t.strictSame(validateWorkflow(text).errors, []);
  t.strictSame(validateWorkflow(read('github-matrix.yml')).errors, []);
  t.not(validateWorkflow(text.replaceAll('runs-on', 'runs-at')).errors.length, 0, 'it would tell');
});

t.test('GitLab CI', async (t) => {
  const preview = async (text: string) => {
    const cwd = t.testdir({ '.gitlab-ci.yml': text });
    await execa('git', ['init', '--quiet'], { cwd });
    await execa('git', ['remote', 'add', 'origin', 'git@gitlab.com:a/b.git'], { cwd });
    // It wants Node.js 22 for this one function.
    const union =
      'Set.prototype.union ??= function (other) { return new Set([...this, ...other]); }';
    const program = `${root}node_modules/gitlab-ci-local/dist/index.js`;
    return execa(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(union)}`, program, '--preview'],
      { cwd, env: { NODE_OPTIONS: '' }, reject: false },
    );
  };
  const { exitCode, stdout, stderr } = await preview(read('gitlab-ci.yml'));
  t.equal(exitCode, 0, stderr);
  t.match(stdout, /dax-bisect:/);
  const matrix = await preview(read('gitlab-matrix.yml'));
  t.equal(matrix.exitCode, 0, matrix.stderr);
  t.match(matrix.stdout, /parallel: 8/);
  const wrong = await preview(read('gitlab-ci.yml').replaceAll('when: always', 'when: now'));
  t.equal(wrong.exitCode, 1, 'it would tell');
});

t.test('both run the same commands', async (t) => {
  const github = parse(read('github-actions.yml'));
  const gitlab = parse(read('gitlab-ci.yml'));
  const plain = (text: string) =>
    text
      .replaceAll(/\\\n\s*/g, '')
      .replace('--tree linux', '--tree .')
      .trim();
  for (const job of ['test', 'bisect']) {
    const steps = github.jobs[job].steps.flatMap(({ run = '' }) =>
      /--tree/.test(run) ? [run] : [],
    );
    t.strictSame(steps.map(plain), [gitlab[`dax-${job}`].script.at(-1)], job);
    const { run: summary } = github.jobs[job].steps.find(
      ({ name }: { name?: string }) => name === 'Summary',
    );
    const [before] = gitlab['.daxrepro'].after_script;
    t.equal(summary.replace('"$GITHUB_STEP_SUMMARY"', '').replace('>>', '>summary.md'), before);
  }
});
