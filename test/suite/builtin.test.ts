import { fileURLToPath } from 'node:url';
import t from 'tap';
import { guestScripts } from '../../cli/guest/manifest.js';
import { editDistance, nearest } from '../../cli/nearest.js';
import { runTool } from '../../cli/process/child.js';
import {
  builtinSuiteVersion,
  builtinTests,
  groupsOf,
  readHeader,
  type SuiteTest,
  selectTests,
} from '../../cli/suite/builtin.js';

const script = (id: string) => fileURLToPath(new URL(`tests/${id}`, guestScripts));

t.test('all bundled tests have valid headers and shell syntax', async (t) => {
  const tests = builtinTests();
  const ids = tests.map(({ id }) => id);
  t.same(ids, [...ids].sort(), 'sorted');
  for (const id of ['generic/002', 'dax/directories', 'dax/symlinks', 'dax/scratch']) {
    t.ok(ids.includes(id), id);
  }
  for (const { id, summary, groups } of tests) {
    // The selftests test daxrepro itself, so they are not in the group of all tests.
    const selftest = id.startsWith('selftest/');
    // Tests of power cuts need --power-cut.
    const powerCut = id.startsWith('power-cut/');
    // Tests of media errors are about the device more than about the file system.
    const poison = id.startsWith('poison/');
    t.equal(groups.includes('auto'), !selftest && !powerCut && !poison, `${id}: auto or not`);
    t.equal(groups.includes('poison'), poison, `${id}: poison or not`);
    t.equal(groups.includes('power-cut'), powerCut, `${id}: power-cut or not`);
    t.equal(groups.includes('selftest'), selftest, `${id}: selftest or not`);
    t.equal(groups.includes('dax'), id.startsWith('dax/'), `${id}: dax or not`);
    t.match(summary, /^[^.]{20,100}$/, `${id} has a summary of one line`);
  }
  const checked = await runTool([
    'bash',
    '-c',
    'for script; do bash -n "$script" || exit; done',
    'bash',
    ...ids.map(script),
    fileURLToPath(new URL('lib/test.sh', guestScripts)),
    fileURLToPath(new URL('lib/promises.sh', guestScripts)),
    fileURLToPath(new URL('lib/poison.sh', guestScripts)),
    fileURLToPath(new URL('lib/mappings.sh', guestScripts)),
  ]);
  t.ok(checked.ok, `valid shell syntax: ${checked.all}`);
});

t.test('reads headers, and rejects bad ones', async (t) => {
  t.same(readHeader('dax/x', '# summary: says so\n# groups: auto  quick\n\n# fast: yes\n'), {
    id: 'dax/x',
    summary: 'says so',
    groups: ['auto', 'quick'],
  });
  t.same(readHeader('x', '# summary: s\n# groups: auto\n# filesystems: ext4 xfs\n').fileSystems, [
    'ext4',
    'xfs',
  ]);
  for (const bad of [
    '#!/bin/bash\n# summary: s\n# groups: auto\n',
    '# summary: s\n',
    '# summary: s\n# groups: auto\n# filesystems: btrfs\n',
    '# summary: s\n# groups: auto\n# gruops: quick\n',
    '# summary: s\n# summary: s\n# groups: auto\n',
  ]) {
    t.throws(() => readHeader('x', bad), /test x: /, JSON.stringify(bad));
  }
});

const sample: SuiteTest[] = [
  { id: 'dax/links', summary: 'l', groups: ['auto', 'links'] },
  { id: 'dax/mmap-fsync', summary: 'f', groups: ['auto', 'mmap'] },
  { id: 'dax/mmap-msync', summary: 'm', groups: ['auto', 'mmap'] },
  { id: 'generic/002', summary: 'g', groups: ['auto', 'links'] },
];

function select(ids: string[], groups: string[] = []): string[] | string {
  const selected = selectTests(sample, { ids, groups });
  if (selected.ok) return selected.value.map(({ id }) => id);
  t.equal(selected.failure.kind, 'usage');
  return `${selected.failure.message}. ${selected.failure.remedy}`;
}

t.test('selects tests by ids and groups', async (t) => {
  t.same(select(['generic/002', 'dax/links']), ['generic/002', 'dax/links'], 'in the order given');
  t.same(select(['generic/002', 'generic/002']), ['generic/002'], 'each once');
  t.same(select(['generic/002'], ['mmap', 'links']), [
    'generic/002',
    'dax/mmap-fsync',
    'dax/mmap-msync',
    'dax/links',
  ]);
  t.same(select([]), []);
});

t.test('suggests similar names for unknown tests and groups', async (t) => {
  t.match(select(['genric/002']), /no built-in test "genric\/002".*Did you mean generic\/002\?/);
  t.match(select(['links-']), /Did you mean dax\/links\?/);
  t.match(select(['mmap-xsync']), /Did you mean dax\/mmap-fsync or dax\/mmap-msync\?/);
  t.match(select(['mmap']), /This is a group: select it with `-g mmap`/);
  t.match(select(['zzzzzzzzz']), /no built-in test "zzzzzzzzz"\. `daxrepro list`/);
  t.match(select(['']), /no built-in test ""/);
  t.match(
    select([], ['mmmap']),
    /group "mmmap" of built-in tests\. Did you mean mmap\? `daxrepro list`/,
  );
  t.match(select([], ['generic/002']), /This is a test: select it without `-g`/);
});

t.test('measures the distance of words', async (t) => {
  t.equal(editDistance('abc', 'abc'), 0);
  t.equal(editDistance('abc', 'acb'), 1, 'swapped');
  t.equal(editDistance('abc', 'ab'), 1, 'one letter is missing');
  t.equal(editDistance('', 'ab'), 2);
  t.equal(editDistance('kitten', 'sitting'), 3);
  t.ok(editDistance('a', 'abcdefgh') > 3, 'beyond the limit');
  t.same(nearest('x', ['y', 'abc']), ['y']);
  t.same(nearest('xfsx', []), []);
});

t.test('lists groups, and makes a version', async (t) => {
  t.same(groupsOf(sample), ['auto', 'links', 'mmap']);
  t.match(builtinSuiteVersion(), /^[0-9a-f]{12}$/);
  t.equal(builtinSuiteVersion(), builtinSuiteVersion());
});
