import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { withoutExcluded } from '../../cli/suite/exclude.js';
import { readExpectedFailures } from '../../cli/suite/expected.js';
import { isTestList, readTestList } from '../../cli/suite/test-list.js';

const XFSTESTS_BLD = `// takes long
// on all configurations
generic/027

ext4/034

// not here
-g dax
generic/001-003 // a range
`;

const KDEVOPS = `generic/269 # test bug
generic/475 # korg#1 Assertion failed: https://example.org/a//b
xfs/013
`;

const TESTS = [
  { id: 'generic/002', groups: [] },
  { id: 'generic/027', groups: [] },
  { id: 'generic/500', groups: ['dax'] },
  { id: 'generic/501', groups: ['quick'] },
];

const file = (t: Test, text: string) => {
  const path = join(t.testdir({}), 'list.txt');
  writeFileSync(path, text);
  return path;
};

t.test('reads exclude files and expunge lists, with their comments', async (t) => {
  t.match(readTestList('f', XFSTESTS_BLD), {
    value: [
      { word: 'generic/027', comment: 'takes long on all configurations', place: { line: 3 } },
      { word: 'ext4/034', comment: '' },
      { group: 'dax', comment: 'not here' },
      { word: 'generic/001-003', comment: 'a range' },
    ],
  });
  t.match(readTestList('f', KDEVOPS.replaceAll('\n', '\r\n')), {
    value: [
      { word: 'generic/269', comment: 'test bug' },
      { word: 'generic/475', comment: 'korg#1 Assertion failed: https://example.org/a//b' },
      { word: 'xfs/013', comment: '' },
    ],
  });
});

t.test('leaves out tests and groups of such a file', async (t) => {
  t.same(withoutExcluded(TESTS, { excludeFile: [file(t, XFSTESTS_BLD)] }), {
    ok: true,
    value: [TESTS[3]],
  });
});

t.test('takes the comments of a list as the reasons of expected failures', async (t) => {
  t.match(readExpectedFailures(file(t, KDEVOPS)), {
    value: [
      { test: 'generic/269', reason: 'test bug' },
      { test: 'generic/475' },
      { test: 'xfs/013', reason: 'listed in list.txt' },
    ],
  });
});

t.test('stops where a line cannot be decided, with its place', async (t) => {
  for (const line of [
    '#ifdef LTS_KERNEL',
    '#if LINUX_VERSION_CODE < KERNEL_VERSION(6,6,30)',
    '# if defined(X)',
    '#else',
    '#endif',
    '#include "other"',
  ]) {
    const text = `generic/001\n${line}\ngeneric/002\n`;
    const wanted = { ok: false, failure: { kind: 'usage', place: { line: 2 } } };
    t.match(readTestList('f', text), wanted, line);
    t.match(withoutExcluded(TESTS, { excludeFile: [file(t, text)] }), wanted, line);
    t.match(readExpectedFailures(file(t, text)), wanted, line);
  }
  t.match(readExpectedFailures(file(t, 'generic/001\n-g dax\n')), {
    ok: false,
    failure: { place: { line: 2 }, message: /group/ },
  });
});

t.test('takes other comments for comments, and YAML for YAML', async (t) => {
  for (const line of ['# if it fails again, ask', '# else nothing', '#define', '# include it']) {
    t.match(readTestList('f', `${line}\ngeneric/001\n`), { ok: true }, line);
  }
  for (const text of [
    '- test: a/b\n  reason: c\n',
    '# generic/001\n- test: a/b\n',
    '',
    '[]',
    'a: b',
  ]) {
    t.notOk(isTestList(text), text);
  }
});
