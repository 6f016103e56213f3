import t from 'tap';
import { scoreOf } from '../../cli/mutate/judge.js';
import { formatMutationPage } from '../../cli/report/html/mutation.js';
import { formatMutants, formatMutation } from '../../cli/report/mutation-text.js';
import type { MutationResult, TestedMutant } from '../../cli/results/mutation-result.js';

/** Reports of mutants. What guests and sources say is escaped. */

const HOSTILE = '<img src=x onerror=alert(1)>\x1b[31m"&';

const tested = (number: number, more: Partial<TestedMutant>): TestedMutant => ({
  ...{ number, operator: 'call-removed', file: 'fs/ext2/inode.c', line: number * 40, column: 2 },
  ...{
    function: 'ext2_x',
    patch: `mutants/00${number}.patch`,
    diff: `@@ -1 +1 @@\n-${HOSTILE}\n+;\n`,
  },
  ...{ outcome: 'survived', withoutPowerCut: 'survived', reason: 'all 3 tests passed' },
  ...{ test: null, finding: null, tests: 3, buildSeconds: 4, seconds: 6, folders: [] },
  ...{ replay: null },
  ...more,
});

const MUTANTS = [
  tested(1, {
    ...{ outcome: 'killed', test: 'dax/a', reason: HOSTILE, replay: 'daxrepro run ext2 dax/a' },
    finding: { tool: 'e2fsck', signature: 's', message: HOSTILE },
  }),
  tested(2, {}),
  tested(3, { outcome: 'not-compiled', reason: 'the compiler says: no', tests: 0 }),
];

const result: MutationResult = {
  ...scoreOf(MUTANTS),
  withoutPowerCut: scoreOf(MUTANTS.slice(1)),
  schemaVersion: 1,
  tool: { name: 'daxrepro', version: '0' },
  command: ['mutate', 'ext2'],
  question: {
    ...{ fs: 'ext2', kernel: { spec: 'debian:6.1', release: '6.1.0-test', id: 'k' } },
    ...{ suite: { name: 'builtin', version: '1' }, powerCut: true, pmem: 'memmap', seed: 1 },
    ...{ limit: 4, operators: ['call-removed'], files: [], functions: 'all' },
  },
  ...{ candidates: 99, drawn: 4, mutants: MUTANTS },
  base: [
    { test: 'dax/a', powerCut: false, verdict: 'pass', reason: '', seconds: 1 },
    { test: 'dax/b', powerCut: false, verdict: 'notrun', reason: HOSTILE, seconds: 1 },
  ],
  host: { kernel: 'k', qemu: 'q', node: 'n', cpus: 2 },
  ...{ started: '2026-01-01T00:00:00.000Z', durationSeconds: 90, directory: '/runs/1' },
};

const SOURCE = Array.from({ length: 200 }, (_, index) => `source ${index + 1}${HOSTILE}`).join(
  '\n',
);

t.test('text: the survivors with their diffs, the others in a line, the score', async (t) => {
  const text = formatMutation(result, { width: 100 });
  t.match(text, /^SURVIVED #2 {2}call-removed, fs\/ext2\/inode\.c:80, ext2_x\n/);
  t.match(text, /\n {4}\| \+;\n/);
  t.match(text, /\nkilled #1 by dax\/a {2}call-removed, fs\/ext2\/inode\.c:40, ext2_x: e2fsck: </);
  t.match(text, /1 of 2 mutants detected: 50 % \(95 % interval 1\.3 % to 99 %\)/);
  t.match(text, /without power cuts, 0 of 1 mutant detected/);
  t.match(text, /1 killed, 1 survived, 1 does not compile/);
  t.match(text.replaceAll(/\s+/g, ' '), /4 mutants drawn with seed 1 .*; 1 of them did not run/);
  t.match(text.replaceAll(/\s+/g, ' '), /1 test, .*; 1 of 2 do not pass there and kill nothing/);
  t.notMatch(text, '\x1b');
});

t.test('HTML: the source around each mutant, marked, and nothing that could run', async (t) => {
  const page = formatMutationPage(result, new Map([['fs/ext2/inode.c', SOURCE]]));
  t.match(page, /<span class="fail"> {3}80 {2}source 80/, 'the survivor');
  t.match(page, /<span class="pass"> {3}40 {2}source 40/, 'the killed one');
  t.match(page, 'source 68&lt;', 'twelve lines before');
  t.notMatch(page, 'source 67&lt;', 'and no more');
  t.match(page, 'source 132&lt;');
  t.notMatch(page, 'source 133&lt;');
  t.match(page, '<details id="mutant-2" open>');
  t.match(page, '<details id="mutant-1">');
  t.notMatch(page, /<img|\x1b|<script/);
  for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) t.match(page, `id="${id}"`);
});

t.test('HTML: a file that cannot be shown does not hide its mutants', async (t) => {
  const page = formatMutationPage(result, new Map());
  t.match(page, 'all 3 tests passed');
  t.match(page, 'fs/ext2/inode.c');
});

t.test('the list of mutants is their patches', async (t) => {
  const text = formatMutants(MUTANTS, 99);
  t.match(text, /^#001 {2}call-removed, fs\/ext2\/inode\.c:40, ext2_x\n {4}\| @@/);
  t.match(text, /3 mutants, drawn from 99 places$/);
  t.notMatch(text, '\x1b');
});
