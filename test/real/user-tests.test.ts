import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import type { RunResult } from '../../cli/results/run-result.js';
import { daxrepro, describe, LAUNCHER, runJson } from './daxrepro.js';

// The user's own files as tests: honest ones, and ones that break everything they can reach.
t.setTimeout(40 * 60 * 1000);

const ours = (name: string) => fileURLToPath(new URL(`user-tests/${name}`, import.meta.url));
const example = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/reproducers/${name}`, import.meta.url));

t.test('the examples pass on ext4 and xfs', async (t) => {
  const examples = ['mmap-store.c', 'directories.sh', 'random-writes.fio'].map(example);
  for (const fs of ['ext4', 'xfs']) {
    const { result, exitCode } = await runJson([fs, ...examples], t.testdir());
    t.equal(exitCode, 0, `${fs}: ${describe(result)}`);
    t.ok(
      result.units.every(({ verdict, dax }) => verdict === 'pass' && dax.proven),
      describe(result),
    );
    t.ok(result.units.every(({ suite }) => suite.name === 'user' && suite.version.length === 12));
  }
});

const EXPECTED: Record<string, [verdict: string, reason: RegExp]> = {
  'corrupts.sh': ['fail', /e2fsck: /],
  'crash.c': ['fail', /^the test was killed by SIGSEGV$/],
  'exit-3.sh': ['fail', /^the test ended with exit code 3: last$/],
  'fills.sh': ['pass', /no problems were found/],
  'forks.sh': ['fail', /timed out/],
  'hang.sh': ['fail', /timed out/],
  'mounts-over.sh': ['invalid', /is not mounted on \/mnt\/test/],
  'never-ends.c': ['pass', /no problems were found/],
  'no-interpreter.sh': ['fail', /exit code 127: .*no\/such\/program/],
  'not-applicable.sh': ['notrun', /^this needs a quota$/],
  'powers-off.sh': ['error', /shut down in step test.*may have done that itself/],
  'prints-much.sh': ['pass', /no problems were found/],
  'with-dax.sh': ['pass', /no problems were found/],
  'without-dax.sh': ['invalid', /\/dev\/pmem1 was mounted without DAX/],
};

t.test('a test that does harm gets its verdict, and the next one passes', async (t) => {
  const place = t.testdir({ brought: { data: 'brought\n' } });
  const words = Object.keys(EXPECTED).map(ours);
  const more = [example('directories.sh'), '--with', join(place, 'brought'), '--jobs', '1'];
  const { result } = await runJson(['ext4', ...words, ...more], place);
  for (const { test, verdict, reason } of result.units) {
    const name = test.split('/').at(-1) as string;
    const [usual, why] = EXPECTED[name] ?? ['pass', /no problems/];
    // A time limit that passes while the host is busy proves nothing.
    const starved = /timed out; the host gave/.test(reason);
    const expected = starved && usual === 'fail' ? 'error' : usual;
    t.equal(verdict, expected, `${name}: ${reason}`);
    t.match(reason, why, name);
  }
  t.equal(result.units.length, words.length + 1);
  const much = result.units.find(({ test }) => test.endsWith('prints-much.sh'));
  const output = readFileSync(join(result.directory, much?.artifacts['output'] ?? ''), 'latin1');
  t.match(output, /^the begin\n/);
  t.match(output, /\[.* \d+ bytes are left out .*\]/);
  t.match(output, /the end\n$/);
});

t.test('a bundle runs a C program again without its source and a compiler', async (t) => {
  const place = t.testdir({ there: {}, empty: {} });
  const source = join(place, 'repro.c');
  writeFileSync(source, 'int main(void) { return 3; }\n');
  const { result } = await runJson(['ext4', source], join(place, 'there'));
  t.match(result.units, [{ verdict: 'fail', reason: 'the test ended with exit code 3' }]);
  const bundle = join(place, 'repro.tar.gz');
  const packed = await execa(LAUNCHER, ['bundle', result.directory, '--output', bundle], {
    reject: false,
  });
  t.equal(packed.exitCode, 0, packed.stderr);
  rmSync(source);
  rmSync(join(place, 'there'), { recursive: true });
  const replayed = await daxrepro(['replay', bundle, '--json'], join(place, 'empty'));
  t.equal(replayed.exitCode, 0, replayed.stderr);
  t.notMatch(replayed.stderr, /gcc/);
  const again = JSON.parse(replayed.stdout) as RunResult;
  t.match(again.units, [
    { verdict: 'fail', suite: { name: 'user', version: result.units[0]?.suite.version } },
  ]);
});
