import t from 'tap';
import { formatFailure, type Outcome } from '../../cli/outcome.js';
import { chooseTests, leaveOut, means } from '../../cli/suite/choose.js';
import { readTestList } from '../../cli/suite/test-list.js';

const ALL = [
  { id: 'ext4/001', groups: ['auto', 'quick'] },
  { id: 'generic/001', groups: ['auto', 'rw'] },
  { id: 'generic/002', groups: ['auto', 'quick', 'metadata'] },
  { id: 'generic/010', groups: ['auto'] },
  { id: 'generic/035-by-name', groups: ['dax'] },
];

const ids = (chosen: Outcome<{ id: string }[]>) =>
  chosen.ok ? chosen.value.map(({ id }) => id) : formatFailure(chosen.failure);
const choose = (names: string[], groups: string[] = []) =>
  ids(chooseTests(ALL, { ids: names, groups }, 'xfstests'));

t.test('chooses by ids, ranges and patterns', async (t) => {
  t.same(choose(['generic/002']), ['generic/002']);
  t.same(choose(['generic/001-010']), ['generic/001', 'generic/002', 'generic/010']);
  t.same(choose(['generic/002-generic/010']), ['generic/002', 'generic/010']);
  t.same(choose(['generic/00?']), ['generic/001', 'generic/002']);
  t.same(choose(['*/001']), ['ext4/001', 'generic/001']);
  t.same(choose(['generic/035']), ['generic/035-by-name'], 'by the number alone');
  t.same(choose(['generic/010', 'generic/001-010']), ['generic/010', 'generic/001', 'generic/002']);
});

t.test('chooses by groups', async (t) => {
  t.same(choose([], ['quick']), ['ext4/001', 'generic/002']);
  t.same(choose([], ['dax,rw']), ['generic/035-by-name', 'generic/001'], 'a list, as in check');
  t.same(choose([], ['generic/quick']), ['generic/002'], 'the group of one directory');
  t.equal(choose([], ['all']).length, ALL.length);
  t.same(choose(['generic/010'], ['rw']), ['generic/010', 'generic/001']);
});

t.test('reports unknown tests and groups, with suggestions', async (t) => {
  for (const [names, groups, said] of [
    [['generic/020'], [], /no test "generic\/020"[\s\S]*generic\/010/],
    [['quick'], [], /This is a group: select it with `-g quick`/],
    [['generic/010-001'], [], /no test "generic\/010-001"/],
    [['generic/001-ext4/010'], [], /no test/],
    [['xfs/*'], [], /no test "xfs\/\*"/],
    [['../x'], [], /no test/],
    [[''], [], /no test ""/],
    [[], ['quik'], /group "quik"[\s\S]*Did you mean quick/],
    [[], ['nothing-like-it'], /The groups are auto, dax, metadata, quick, rw/],
    [[], ['xfs/quick'], /group "xfs\/quick"/],
  ] as [string[], string[], RegExp][]) {
    t.match(choose(names, groups), said, `${names} ${groups}`);
  }
});

t.test('leaves out the tests in a file', async (t) => {
  const text = '# slow\n\ngeneric/002  # flaky\r\n   generic/005-010\next4/*\n';
  const read = readTestList('skip.txt', text);
  t.match(read, { ok: true });
  if (!read.ok) return;
  t.same(
    ids(
      leaveOut(
        ALL,
        read.value.flatMap(({ word }) => (word ? [{ word }] : [])),
        [],
      ),
    ),
    ['generic/001', 'generic/035-by-name'],
  );
  t.same(
    ids(leaveOut(ALL, [{ word: 'generic/999' }], [])).length,
    ALL.length,
    'accepts a list made for other trees',
  );
  t.same(ids(leaveOut(ALL, [], ['auto'])), ['generic/035-by-name'], 'groups, too');
});

t.test('reports a bad line with its place', async (t) => {
  for (const [line, shown] of [
    ['generic 002', '"generic 002"'],
    ['generic/010-002', '"generic/010-002"'],
    ['/etc/passwd', '"/etc/passwd"'],
    ['002', '"002"'],
    ['\x1b[31m', '"\\u001b[31m"'],
  ] as [string, string][]) {
    const read = readTestList('skip.txt', `generic/001\n${line}\n`);
    t.equal(read.ok, false, line);
    if (!read.ok) {
      t.equal(read.failure.kind, 'usage');
      const told = formatFailure(read.failure);
      t.ok(told.startsWith(`daxrepro: skip.txt:2: ${shown} is not a test`), told);
    }
  }
  t.match(leaveOut(ALL, [{ word: 'nonsense' }], []), { ok: false });
});

t.test('tells whether a word matches a test', async (t) => {
  t.equal(means('generic/001-010', 'generic/004'), true);
  t.equal(means('generic/001-010', 'generic/014'), false);
  t.equal(means('what ever', 'generic/001'), false);
});
