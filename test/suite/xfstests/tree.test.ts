import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { exitCodeOf, formatFailure } from '../../../cli/outcome.js';
import { unbuiltPrograms } from '../../../cli/suite/xfstests/examine.js';
import { findTree, readGroups, testFacts, treeTests } from '../../../cli/suite/xfstests/tree.js';

const BUILT = {
  check: '#!/bin/bash\n',
  common: { rc: '', config: '' },
  ltp: { fsstress: '', fsx: '' },
  src: { lstat64: '', feature: '' },
  tests: {
    generic: { 'group.list': '# made by make\n\n001 auto rw\n002 auto quick # hm\n', '002': '' },
    ext4: { 'group.list': '001 auto dax\n' },
    xfs: { 'group.list': '001 auto\n' },
  },
};

const told = (found: ReturnType<typeof findTree>) =>
  found.ok ? found.value.directory : `${exitCodeOf(found.failure)} ${formatFailure(found.failure)}`;

t.test('finds the tree of --suite and DAXREPRO_XFSTESTS', async (t) => {
  const directory = t.testdir({ tree: BUILT });
  const tree = join(directory, 'tree');
  t.equal(told(findTree(tree, {})), tree);
  t.equal(told(findTree('xfstests', { DAXREPRO_XFSTESTS: tree })), tree);
  t.match(
    told(findTree('xfstests', { DAXREPRO_XFSTESTS: `${tree}/no` })),
    /^2 .*DAXREPRO_XFSTESTS/,
  );
});

t.test('rejects directories that are not built xfstests trees, with remedies', async (t: Test) => {
  const directory = t.testdir({ tree: BUILT, file: '' });
  const tree = join(directory, 'tree');
  t.match(told(findTree(join(directory, 'nowhere'), {})), /^2 .*no directory/);
  t.match(told(findTree(join(directory, 'file'), {})), /^2 .*no directory/);
  t.match(told(findTree(directory, {})), /^2 .*not an xfstests tree: it has no check, common\/rc/);
  rmSync(join(tree, 'src/lstat64'));
  rmSync(join(tree, 'ltp/fsstress'));
  t.match(
    told(findTree(tree, {})),
    /^2 .*is not built: it lacks ltp\/fsstress, src\/lstat64\.\n {2}Run `make` there/,
  );
});

t.test('lists the generic tests and those of the file system', async (t) => {
  const directory = t.testdir(BUILT);
  const ids = (fs?: string) => {
    const tests = treeTests({ directory }, fs);
    return tests.ok ? tests.value.map(({ id }) => id) : formatFailure(tests.failure);
  };
  t.same(ids('ext4'), ['ext4/001', 'generic/001', 'generic/002']);
  t.same(ids('ext2'), ids('ext4'), 'as in xfstests');
  t.same(ids('xfs'), ['generic/001', 'generic/002', 'xfs/001']);
  t.same(ids(), ['ext4/001', 'generic/001', 'generic/002', 'xfs/001']);
  for (const folder of ['generic', 'ext4']) rmSync(join(directory, 'tests', folder, 'group.list'));
  t.match(ids('ext4'), /has no tests\/generic\/group.list/);
  writeFileSync(join(directory, 'tests/generic/group'), '003 auto\n');
  t.same(ids('ext4'), ['generic/003'], 'the file name before 2021');
});

t.test('parses group files', async (t) => {
  t.same(readGroups('xfs', '001 a b\n#002 c\n 003\tx  y\n004\nREADME z\n5 k\n006-name q'), [
    { id: 'xfs/001', groups: ['a', 'b'] },
    { id: 'xfs/003', groups: ['x', 'y'] },
    { id: 'xfs/004', groups: [] },
    { id: 'xfs/006-name', groups: ['q'] },
  ]);
});

t.test('reads facts from a script', async (t) => {
  const directory = t.testdir({ tests: { generic: {} } });
  const facts = (script: string) => {
    mkdirSync(join(directory, 'tests/generic'), { recursive: true });
    writeFileSync(join(directory, 'tests/generic/001'), script);
    return testFacts({ directory }, { id: 'generic/001', groups: ['auto'] });
  };
  const head = '#! /bin/bash\n# SPDX-License-Identifier: GPL-2.0\n# Copyright (c) 2000 X.\n#\n';
  t.same(facts(`${head}# FS QA Test No. 001\n#\n# links and so on\n_disable_dmesg_check\n`), {
    groups: ['auto'],
    provokes: ['no-dmesg-check'],
    summary: 'links and so on',
  });
  t.match(facts(`${head}# FS QA Test 001\n#\n# one\n# _disable_dmesg_check\n`), {
    provokes: { length: 0 },
    summary: 'one',
  });
  t.match(facts('#!/bin/bash\n'), { summary: '' });
  t.match(testFacts({ directory }, { id: 'generic/404', groups: [] }), { summary: '' });
});

t.test('lists programs that the build left out, most used first', async (t) => {
  const directory = t.testdir({
    ...BUILT,
    common: { rc: '_require_test_program "rare"\n$here/src/there\n', config: '' },
    src: { 'rare.c': '', 'often.c': '', 'there.c': '', there: '' },
  });
  for (const name of ['002', '003', '004']) {
    const text = `$here/src/often -x "$here/src/often"\n_require_test_program gone\n`;
    writeFileSync(join(directory, 'tests/generic', name), text);
  }
  writeFileSync(join(directory, 'tests/generic/005.out'), '$here/src/rare');
  t.strictSame(unbuiltPrograms(directory), [
    { path: 'src/often', scripts: 3 },
    { path: 'src/rare', scripts: 1 },
  ]);
});
