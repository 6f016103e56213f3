import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { checkSuiteTrust } from '../../cli/bundle/trust.js';
import { treeArchive } from '../../cli/guest/xfstests-archive.js';
import { keepInputs } from '../../cli/inputs/keep.js';
import { readInputs } from '../../cli/inputs/read.js';
import { exitCodeOf, formatFailure, type Outcome } from '../../cli/outcome.js';
import { groupsIn } from '../../cli/overlay/groups.js';
import { type NamedSuite, overlaySuite } from '../../cli/overlay/overlay.js';
import { planUnits } from '../../cli/plan/plan.js';
import { runTool } from '../../cli/process/child.js';
import { replayedSuite } from '../../cli/replay/suite.js';
import { RUN_DEFAULTS } from '../../cli/run/defaults.js';
import { replayCommand } from '../../cli/run/replay-command.js';
import { checkRequest } from '../../cli/run/request.js';
import { findTree, treeTests } from '../../cli/suite/xfstests/tree.js';

const STAND_IN = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

const SCRIPT = '#!/bin/bash\n# a new test\n. common/preamble\n_begin_fstest auto quick \\\n\trw\n';

const added = (path: string, text: string, mode = '100644') =>
  [
    `diff --git a/${path} b/${path}`,
    `new file mode ${mode}`,
    '--- /dev/null',
    `+++ b/${path}`,
    `@@ -0,0 +1,${text.trimEnd().split('\n').length} @@`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `+${line}`),
    '',
  ].join('\n');

const CHANGES_RC = `--- a/common/rc
+++ b/common/rc
@@ -1,4 +1,4 @@
-# Shared by the stand-in's check and its tests.
+# Shared by the check of the stand-in and its tests.
 #
 # Options are several words (SC2086), variables come from the tests (SC2154).
 # shellcheck disable=SC2086,SC2154
`;

function places(t: Test, files: Record<string, string> = {}) {
  const top = t.testdir({ cache: {}, own: { tests: { generic: {} } }, ...files });
  const tree = join(top, 'tree');
  cpSync(STAND_IN, tree, { recursive: true, preserveTimestamps: true });
  const context = { store: { root: join(top, 'cache') }, progress: () => {} };
  const overlay = (asked: Omit<NamedSuite, 'suite'>) =>
    overlaySuite({ suite: tree, from: top, ...asked }, context);
  return { top, tree, context, overlay };
}

/** Paths, modes and contents of everything below a directory. */
function stateOf(directory: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    const { mode, mtimeMs } = statSync(path);
    hash.update(`${name} ${mode} ${mtimeMs}\n`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

const told = (outcome: Outcome<unknown>) =>
  outcome.ok ? 'ok' : `${exitCodeOf(outcome.failure)} ${formatFailure(outcome.failure)}`;

t.test('a patch adds tests to a copy; the tree stays as it is', async (t) => {
  const { top, tree, context, overlay } = places(t, {
    'new.patch': `${added('tests/generic/999', SCRIPT)}${added('tests/generic/999.out', 'QA output created by 999\n')}${CHANGES_RC}`,
  });
  const before = stateOf(tree);
  const made = await overlay({ patches: [join(top, 'new.patch')], words: ['generic/999'] });
  if (!made.ok) throw new Error(told(made));
  t.equal(stateOf(tree), before, 'nothing in the tree has changed');
  const { suite, words } = made.value;
  t.strictSame(words, ['generic/999']);
  const copy = findTree(suite);
  t.match(copy, { ok: true, value: { overlay: { of: tree, changes: [{ type: 'patch' }] } } });
  const all = copy.ok ? treeTests(copy.value, 'ext4') : copy;
  t.match(all.ok && all.value.find(({ id }) => id === 'generic/999'), {
    groups: ['auto', 'quick', 'rw'],
  });
  t.equal(statSync(join(suite, 'tests/generic/999')).mode & 0o111, 0o111, 'check can execute it');
  t.match(readFileSync(join(suite, 'common/rc'), 'utf8'), /^# Shared by the check of/);

  const again = await overlay({ patches: [join(top, 'new.patch')], words: [] });
  t.match(again, { value: { suite } }, 'made once');
  const [plain, changed] = [
    await treeArchive(tree, context),
    await treeArchive(suite, context, tree),
  ];
  t.not(plain.ok && plain.value.version, changed.ok && changed.value.version, 'another version');

  writeFileSync(join(tree, 'common/config'), '# changed\n');
  const later = await overlay({ patches: [join(top, 'new.patch')], words: [] });
  t.not(later.ok && later.value.suite, suite, 'made again for a changed tree');
  t.match(later.ok && readFileSync(join(later.value.suite, 'common/config'), 'utf8'), /changed/);
});

t.test('mails of a series are applied in order', async (t) => {
  const mail = (number: number, patch: string) =>
    `From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH ${number}/2] generic: x\n\nx\n---\n\n${patch}-- \n2\n\n`;
  const second = `--- a/tests/generic/998.out\n+++ b/tests/generic/998.out\n@@ -1 +1,2 @@\n QA output created by 998\n+two\n`;
  const first = `${added('tests/generic/998', SCRIPT)}${added('tests/generic/998.out', 'QA output created by 998\n')}`;
  const { top, overlay } = places(t, { 'x.mbox': `${mail(1, first)}${mail(2, second)}` });
  const made = await overlay({ patches: [join(top, 'x.mbox')], words: [] });
  t.ok(made.ok, told(made));
  if (made.ok) {
    t.match(readFileSync(join(made.value.suite, 'tests/generic/998.out'), 'utf8'), /998\ntwo\n$/);
  }
});

t.test('a patch that does not apply is refused with file and hunk', async (t) => {
  const { top, overlay } = places(t, {
    'bad.patch': CHANGES_RC.replace(' #\n', ' # not there\n'),
    'link.patch': added('tests/generic/link', '/etc/shadow', '120000'),
    'out.patch': added('../outside', 'x'),
    'no.patch': 'nothing\n',
    'x.cocci': '@@ @@\n',
  });
  const says = async (name: string, what: RegExp) =>
    t.match(told(await overlay({ patches: [join(top, name)], words: [] })), what, name);
  await says(
    'bad.patch',
    /^2 .*bad\.patch: .*does not apply to this xfstests tree: no place fits common\/rc: @@ -1,4/,
  );
  await says('bad.patch', /Rebase it onto the tree of --suite/);
  await says('link.patch', /^2 .*creates a link/);
  await says('out.patch', /^2 .*(?:outside the source tree|is broken)/);
  await says('no.patch', /^2 .*contains no patch/);
  await says('x.cocci', /^2 .*semantic patch cannot/);
  await says('missing.patch', /^2 .*missing\.patch: .*cannot be read/);
  t.strictSame(
    readdirSync(join(top, 'cache/xfstests-overlay')).filter((name) => !name.endsWith('.lock')),
    [],
    'nothing is left',
  );
});

t.test('a patch of sources is built in the copy', async (t) => {
  const { top, tree, overlay } = places(t, {
    'src.patch': added('src/new.c', 'int main(void) { return 0; }'),
  });
  const patches = [join(top, 'src.patch')];
  t.match(told(await overlay({ patches, words: [] })), /^2 .*src\/new\.c, which has to be built/);
  writeFileSync(join(tree, 'Makefile'), 'default: src/new\nsrc/new: src/new.c\n\tcp $< $@\n');
  const made = await overlay({ patches, words: [] });
  t.ok(made.ok && statSync(join(made.value.suite, 'src/new')).isFile(), told(made));
  writeFileSync(join(tree, 'Makefile'), 'default:\n\t@echo it breaks; false\n');
  t.match(told(await overlay({ patches, words: [] })), /^2 .*does not build.*\n.*it breaks/);
});

t.test('a test from outside of the tree', async (t) => {
  const { top, tree, overlay } = places(t);
  const own = join(top, 'own/tests/generic');
  writeFileSync(join(own, '999'), SCRIPT);
  chmodSync(join(own, '999'), 0o644);
  const word = 'own/tests/generic/999';
  t.match(told(await overlay({ words: [word] })), /^2 .*without the output.*\n.*999\.out/);
  writeFileSync(join(own, '999.out'), 'QA output created by 999\n');
  writeFileSync(join(own, '999.out.bad'), 'x');
  writeFileSync(join(own, '001'), SCRIPT);
  writeFileSync(join(own, '001.out'), 'QA output created by 001\n');
  const made = await overlay({ words: [word, 'generic/002', `./own/tests/generic/001`] });
  if (!made.ok) throw new Error(told(made));
  const { suite, words } = made.value;
  t.strictSame(words, ['generic/999', 'generic/002', 'generic/001'], 'they have ids');
  t.equal(readFileSync(join(suite, 'tests/generic/999'), 'utf8'), SCRIPT);
  t.equal(readFileSync(join(suite, 'tests/generic/001'), 'utf8'), SCRIPT, 'instead of the own one');
  t.not(readFileSync(join(tree, 'tests/generic/001'), 'utf8'), SCRIPT);
  t.notOk(readdirSync(join(suite, 'tests/generic')).includes('999.out.bad'));

  const options = { ...RUN_DEFAULTS, suite };
  const checked = checkRequest('ext4', ['generic/999'], options);
  if (!checked.ok) throw new Error(told(checked));
  const { request } = checked.value;
  const [unit] = planUnits(request, '6.1.0');
  if (!unit) throw new Error('no unit');
  t.match(
    replayCommand(unit, request),
    new RegExp(`run ext4 ${join(own, '999')} --suite ${tree}`),
    'the command names what the user named',
  );
});

t.test('files that are no tests from outside', async (t) => {
  const { top, tree, context, overlay } = places(t, { 'repro.sh': '#!/bin/bash\ntrue\n' });
  const inside = join(tree, 'tests/generic/002');
  t.strictSame(
    await overlay({ words: [inside, './repro.sh', 'generic/001'] }),
    { ok: true, value: { suite: tree, words: ['generic/002', './repro.sh', 'generic/001'] } },
    'a file of the tree is its test, and a script is a script',
  );
  writeFileSync(join(top, 'my-test'), SCRIPT);
  t.match(
    told(await overlay({ words: ['./my-test'] })),
    /^2 .*does not name a test.*\n.*generic\/999/,
  );
  mkdirSync(join(top, 'generic'));
  writeFileSync(join(top, 'generic/002'), SCRIPT);
  t.match(
    await overlay({ words: ['generic/002'] }),
    { value: { suite: tree } },
    'the own test wins',
  );
  const builtin = (asked: Partial<NamedSuite>) =>
    overlaySuite({ suite: 'builtin', from: top, words: [], ...asked }, context);
  t.match(told(await builtin({ words: ['./my-test'] })), /^2 .*needs a tree/);
  t.match(told(await builtin({ patches: ['x'] })), /^2 .*--suite-patch changes an xfstests tree/);
});

t.test('a run keeps what it added, and a replay adds it again', async (t) => {
  const { top, tree, context, overlay } = places(t, { 'rc.patch': CHANGES_RC, run: '' });
  const own = join(top, 'own/tests/generic');
  writeFileSync(join(own, '999'), SCRIPT);
  writeFileSync(join(own, '999.out'), 'QA output created by 999\n');
  const patches = [join(top, 'rc.patch')];
  const made = await overlay({ patches, words: ['own/tests/generic/999'] });
  if (!made.ok) throw new Error(told(made));
  const { suite, words } = made.value;
  const checked = checkRequest('ext4', words, { ...RUN_DEFAULTS, suite });
  if (!checked.ok) throw new Error(told(checked));
  const directory = join(top, 'kept');
  const kept = await keepInputs([checked.value.request], {
    directory,
    ...{ store: context.store, kernels: [], checkpoints: true, together: false },
  });
  if (!kept.ok) throw new Error(told(kept));
  const inputs = await readInputs(directory);
  if (!inputs.ok) throw new Error(told(inputs));
  t.match(inputs.value.inputs, {
    suiteDirectory: tree,
    suiteChanges: [
      { type: 'patch', file: 'suite/001-rc.patch' },
      { type: 'file', path: 'tests/generic/999', file: 'suite/002-999' },
      { type: 'file', path: 'tests/generic/999.out', file: 'suite/003-999.out' },
    ],
    files: [{ from: join(top, 'rc.patch'), sha256: /^[0-9a-f]{64}$/ }, {}, {}],
  });
  const again = await replayedSuite(inputs.value, undefined, context);
  if (!again.ok || again.value === undefined) throw new Error(told(again));
  const [one, two] = [await treeArchive(suite, context), await treeArchive(again.value, context)];
  t.equal(one.ok && one.value.content, two.ok && two.value.content, 'the guest gets the same');

  const trusted = await checkSuiteTrust(inputs.value);
  t.ok(trusted.ok, told(trusted));
  const { inputs: manifest } = inputs.value;
  writeFileSync(join(directory, 'inputs/suite/001-rc.patch'), added('src/Makefile', 'x:; id'));
  const stranger = { directory: join(directory, 'inputs'), inputs: manifest };
  t.match(
    told(await checkSuiteTrust(stranger)),
    /could run programs on this machine.*src\/Makefile/,
  );
  t.match(told(await readInputs(directory)), /has changed since the run/);
});

t.test('reads groups as mkgroupfile does', (t) => {
  t.equal(groupsIn(SCRIPT), 'auto quick rw');
  t.equal(groupsIn('_begin_fstest dax # why\n'), 'dax');
  t.equal(groupsIn('# _begin_fstest dax\n'), undefined);
  t.end();
});

t.test('a copy that was being made when its maker was killed is made anew', async (t) => {
  const { top, overlay } = places(t, { 'rc.patch': CHANGES_RC });
  const patches = [join(top, 'rc.patch')];
  const made = await overlay({ patches, words: [] });
  if (!made.ok) throw new Error(told(made));
  const entry = join(made.value.suite, '..');
  const key = entry.slice(entry.lastIndexOf('/') + 1);
  const making = join(entry, '..', `.${key}.making`);
  await runTool(['mv', entry, making]);
  await runTool(['rm', '-r', join(making, 'tree/tests')]);
  const again = await overlay({ patches, words: [] });
  t.ok(again.ok && statSync(join(again.value.suite, 'tests/generic/001')).isFile(), told(again));
});
