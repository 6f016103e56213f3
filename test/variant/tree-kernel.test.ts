import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { baseKernel, isTreeItself } from '../../cli/bisect/tree.js';
import { openGitSource } from '../../cli/kernel/source.js';
import type { Outcome } from '../../cli/outcome.js';
import { treeKernel } from '../../cli/variant/tree-kernel.js';
import { setUpKernelTree } from '../kernel/fake-kernel-tree.js';

/** Commits of a tree, built with the kernel tests' fake make. */
function setUp(t: Test) {
  const rig = setUpKernelTree(t);
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
  const git = (...argv: string[]) =>
    execFileSync('git', [...identity, ...argv], { cwd: rig.tree, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  const commit = (changes: Record<string, string> = {}) => {
    for (const [path, content] of Object.entries(changes)) {
      mkdirSync(dirname(join(rig.tree, path)), { recursive: true });
      writeFileSync(join(rig.tree, path), content);
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', Object.keys(changes).join(' ') || 'all');
    return git('rev-parse', 'HEAD');
  };
  const open = async (revision?: string) =>
    must(await openGitSource(rig.tree, revision, rig.context));
  return { ...rig, git, commit, open };
}

function must<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value;
}

const CHANGED = { 'fs/ext2/inode.c': 'IS_DAX\nchanged;\n' };

t.test('shares a kernel among commits that differ only in file systems', async (t) => {
  const { commit, open, compiled, context } = setUp(t);
  const revisions = [commit(), commit(CHANGED), commit({ 'Documentation/x.rst': 'x\n' })];
  const built = [];
  for (const revision of revisions) {
    built.push(must(await treeKernel(await open(revision), 'ext2', {}, context)));
    built.at(-1)?.kernel.build;
    if (revision === revisions[0]) compiled();
    else if (revision === revisions[1]) t.strictSame(compiled(), ['inode.c'], 'only a module');
    else t.strictSame(compiled(), [], 'documentation is not built');
  }
  const [first, second, third] = built;
  t.equal(second?.kernel.id, first?.kernel.id);
  t.equal(third?.module?.sha256, second?.module?.sha256);
  t.equal(
    first?.module?.origin,
    'built',
    'not the built-in one, which depends on which commit came first',
  );
  const other = await open(commit({ 'mm/memory.c': 'changed;\n' }));
  t.not(must(await treeKernel(other, 'ext2', {}, context)).kernel.id, first?.kernel.id);
});

t.test('the working tree is one of them', async (t) => {
  const { commit, open, compiled, context, tree, git } = setUp(t);
  const first = must(await treeKernel(await open(commit()), 'ext2', {}, context));
  compiled();
  writeFileSync(join(tree, 'fs/ext2/super.c'), 'changed;\n');
  const standing = must(await treeKernel(await open(), 'ext2', {}, context));
  t.equal(standing.kernel.id, first.kernel.id);
  t.strictSame(compiled(), ['super.c']);
  t.equal(git('status', '--porcelain'), 'M fs/ext2/super.c', 'and stays unchanged');
});

t.test('builds a commit after a broken one that shares its kernel', async (t) => {
  const rig = setUp(t);
  rig.compiler('grep -q BROKEN "$1" && exit 1; cp "$1" "$2"');
  const broken = rig.commit({ 'fs/ext2/inode.c': 'IS_DAX BROKEN\n' });
  const repaired = rig.commit(CHANGED);
  t.match(await treeKernel(await rig.open(broken), 'ext2', {}, rig.context), {
    ok: false,
    failure: { kind: 'build-failed' },
  });
  const { module } = must(await treeKernel(await rig.open(repaired), 'ext2', {}, rig.context));
  t.equal(module?.origin, 'built');
  t.match(await treeKernel(await rig.open(broken), 'ext2', {}, rig.context), {
    ok: false,
    failure: { kind: 'build-failed' },
  });
  t.match(await treeKernel(await rig.open(repaired), 'xfs', {}, rig.context), {
    ok: false,
    failure: { kind: 'build-failed', message: /has no fs\/xfs/ },
  });
});

t.test('allows modules only on a kernel of the same sources', async (t) => {
  const { commit, open, context, tree } = setUp(t);
  const [first, module, header] = [
    commit(),
    commit(CHANGED),
    commit({ 'include/linux/dax.h': 'another\n' }),
  ];
  const base = `src:${tree}@${first}`;
  const kernel = must(await baseKernel(await open(module), base, {}, context));
  const built = must(await treeKernel(await open(module), 'ext2', { base: kernel }, context));
  t.equal(built.kernel.id, kernel.id);
  t.match(await baseKernel(await open(header), base, {}, context), {
    ok: false,
    failure: {
      kind: 'usage',
      message: /include\/linux\/dax\.h differs/,
      remedy: /Omit --kernel/,
    },
  });
  t.match(await baseKernel(await open(module), 'host', {}, context), {
    ok: false,
    failure: { kind: 'usage' },
  });
});

t.test('tells whether --kernel names the tree itself', async (t) => {
  const { tree } = setUp(t);
  t.ok(await isTreeItself(undefined, tree));
  t.ok(await isTreeItself(`src:${tree}/.`, tree));
  t.notOk(await isTreeItself(`src:${tree}@main`, tree));
  t.notOk(await isTreeItself('debian:6.1', tree));
});
