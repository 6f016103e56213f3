import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { kernelVersions } from '../../cli/run/kernel-versions.js';
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

const CONDITIONS = `#if LINUX_VERSION_CODE < KERNEL_VERSION(5,10,0)
// only on old kernels
generic/484
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) /* and not ancient */
generic/002
#else
generic/500
#endif
#if 0
#ifdef SOMETHING
generic/501
#endif
#else
generic/027
#endif
`;

t.test('follows conditions that the version of the kernel decides', async (t) => {
  const words = (kernel: string, text = CONDITIONS) => {
    const read = readTestList('f', text, kernelVersions(kernel));
    return read.ok ? read.value.map(({ word }) => word) : read.failure.place?.line;
  };
  t.strictSame(words('debian:5.4'), ['generic/484', 'generic/027']);
  t.strictSame(words('debian:6.1'), ['generic/002', 'generic/027']);
  t.strictSame(words('debsrc:6.12'), ['generic/500', 'generic/027']);
  t.strictSame(words('debian:5.10=5.10.223-1'), ['generic/002', 'generic/027']);
  t.strictSame(words('debian:sid'), 1, 'the mirror decides what that is');
  t.strictSame(words('image:/boot/vmlinuz'), 1);
  t.strictSame(words(`src:${t.testdir({ Makefile: 'VERSION = 4\nPATCHLEVEL = 5\n' })}`), [
    'generic/484',
    'generic/027',
  ]);
  t.type(words('host'), Array, 'this machine has a version');

  const about = (condition: string, kernel = 'debian:6.1') =>
    words(kernel, `#if ${condition}\ngeneric/001\n#endif\n`);
  const [yes, no] = [['generic/001'], []];
  t.strictSame(about('LINUX_VERSION_CODE >= KERNEL_VERSION(6,1,0)'), yes);
  t.strictSame(about('LINUX_VERSION_CODE >= KERNEL_VERSION(6,1,30)'), 1, '6.1 may be 6.1.29');
  t.strictSame(about('LINUX_VERSION_CODE >= KERNEL_VERSION(6,1,30)', 'debian:6.1=6.1.99-1'), yes);
  t.strictSame(about('LINUX_VERSION_CODE > KERNEL_VERSION(6,1,255)'), no);
  t.strictSame(about('LINUX_VERSION_CODE == KERNEL_VERSION(6,1,7)'), 1);
  t.strictSame(about('LINUX_VERSION_CODE != KERNEL_VERSION(5,4,0)'), yes);
  t.strictSame(about('!(LINUX_VERSION_CODE <= 0x60000)'), yes);
  t.strictSame(about('defined(LINUX_VERSION_CODE) && defined(LTS)'), 1);
  t.strictSame(about('LINUX_VERSION_CODE < 1 && defined(LTS)'), no);
  t.strictSame(about('defined(LTS) || 1'), yes);
  t.strictSame(about('LINUX_VERSION_CODE < KERNEL_VERSION(6)'), 1, 'not a version');
  t.strictSame(about('(1) ? 2 : 3'), 1, 'an operator that is not read');
});

t.test('names the place of a condition without its other half', async (t) => {
  const open = readTestList('f', 'generic/001\n#if 1\ngeneric/002\n');
  t.match(open, { ok: false, failure: { message: /has no #endif/, place: { line: 2 } } });
  const other = readTestList('f', '#if 1\n#endif\n#else\n');
  t.match(other, { ok: false, failure: { message: /has no #if before it/, place: { line: 3 } } });
  const within = readTestList('f', '#if 1\n#define X\n#else\n#define Y\n#endif\n');
  t.match(within, { ok: false, failure: { place: { line: 2 } } });
  const nothing = readTestList('f', '#if 0\n#define X\nnonsense\n#endif\n');
  t.strictSame(nothing.ok && nothing.value, []);
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
