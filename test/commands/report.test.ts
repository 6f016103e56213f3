import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { compileInto } from '../util/compiled.js';
import { WHOLE_BISECTION, WHOLE_COMPARISON, WHOLE_RUN } from '../util/kept.js';

/** `daxrepro report` from the command line. */

const top = t.testdir({
  state: {
    daxrepro: {
      runs: {
        '20260101-000000-ext2-a-1': { 'result.json': JSON.stringify(WHOLE_COMPARISON) },
        '20260102-000000-ext2-a-2': { 'result.json': JSON.stringify(WHOLE_RUN) },
        '20260103-000000-ext2-shell-3': {
          'result.json': JSON.stringify({ ...WHOLE_RUN, shell: { status: 0 } }),
        },
      },
    },
  },
  bisection: { 'result.json': JSON.stringify(WHOLE_BISECTION) },
  empty: {},
});
const { main } = compileInto(top);

function report(...words: string[]) {
  return execa('env', ['-u', 'NODE_OPTIONS', process.execPath, main, 'report', ...words], {
    cwd: top,
    env: { XDG_STATE_HOME: join(top, 'state'), GITHUB_STEP_SUMMARY: '' },
    reject: false,
  });
}

t.test('prints the newest run by default', async (t) => {
  const { exitCode, stdout, stderr } = await report();
  t.equal(exitCode, 0, 'whatever the results are');
  t.equal(stderr, 'daxrepro: taking the newest run, 20260102-000000-ext2-a-2');
  t.match(stdout, /^PASS {5}ext2 generic\/002 {2}\(1\.2 s, memmap, tcg\)\n/);
  t.match(stdout, join(top, 'state/daxrepro/runs/20260102-000000-ext2-a-2'), 'where it is now');
});

t.test('combines several runs, each once, by name or directory', async (t) => {
  const names = ['20260101-000000-ext2-a-1', '20260102-000000-ext2-a-2', 'bisection', 'bisection'];
  const { stdout, exitCode } = await report(...names);
  t.equal(exitCode, 0);
  t.match(stdout, /base, run 1 +early-return +base, run 2\n/);
  t.equal(stdout.match(/is the first bad change/g)?.length, 1);
});

t.test('writes --output in one step, in the format of its extension', async (t) => {
  for (const [file, begins] of Object.entries({
    'a.md': '## ',
    'a.xml': '<?xml ',
    'a.tap': 'TAP version 14\n',
    'a.txt': 'PASS ',
  })) {
    const { exitCode, stdout, stderr } = await report(
      ...['20260102-000000-ext2-a-2', '--output', file],
    );
    t.equal(exitCode, 0);
    t.equal(stdout, '');
    t.match(stderr, new RegExp(`^daxrepro: ${file}: [\\d.]+ KiB$`));
    t.ok(readFileSync(join(top, file), 'utf8').startsWith(begins), file);
  }
  const piped = await execa(
    'sh',
    ['-c', `"${process.execPath}" "${main}" report --output /dev/stdout --format tap | cat`],
    { env: { NODE_OPTIONS: '', XDG_STATE_HOME: join(top, 'state') } },
  );
  t.match(piped.stdout, /^TAP version 14/, 'a pipe gets the report');
});

t.test('appends the job summary of GitHub Actions', async (t) => {
  const summary = join(top, 'summary.md');
  writeFileSync(summary, 'before\n');
  const words = ['20260102-000000-ext2-a-2', '--format', 'github'];
  const { exitCode, stdout, stderr } = await execa(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, main, 'report', ...words],
    { env: { XDG_STATE_HOME: join(top, 'state'), GITHUB_STEP_SUMMARY: summary } },
  );
  t.equal(exitCode, 0);
  t.equal(stderr, '');
  t.match(stdout, /^::error title=/);
  t.match(readFileSync(summary, 'utf8'), /^before\n## File systems on DAX\n/);
  t.match(await report(...words), { exitCode: 0, stderr: /no job summary/ });
});

t.test('rejects wrong usage', async (t) => {
  for (const [words, message] of [
    [['--format', 'pdf'], /"pdf" is not known[\s\S]*markdown/],
    [['absent'], /There is no run absent/],
    [['empty'], /has no result\.json/],
    [['--output', 'absent/a.md'], /absent\/a\.md: The report cannot be written/],
  ] as const) {
    const { exitCode, stdout, stderr } = await report(...words);
    t.equal(exitCode, 2, words.join(' '));
    t.equal(stdout, '');
    t.match(stderr, message);
  }
});
