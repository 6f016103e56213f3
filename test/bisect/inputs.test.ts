import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commitOf, inputsOfTree } from '../../cli/bisect/inputs.js';
import { openGitSource } from '../../cli/kernel/source.js';
import type { Outcome } from '../../cli/outcome.js';
import { patchedSource } from '../../cli/variant/patched-source.js';
import { treeKernel } from '../../cli/variant/tree-kernel.js';
import { setUpKernelTree } from '../kernel/fake-kernel-tree.js';

function must<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value;
}

function setUp(t: Test) {
  const rig = setUpKernelTree(t);
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
  const git = (...argv: string[]) =>
    execFileSync('git', [...identity, ...argv], { cwd: rig.tree, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--message', 'x');
    return git('rev-parse', 'HEAD');
  };
  const open = async (revision?: string) =>
    must(await openGitSource(rig.tree, revision, rig.context));
  const scratch = join(rig.root, 'scratch');
  mkdirSync(scratch);
  return { ...rig, commit, open, scratch };
}

t.test('keeps modules of a tree as their kernel and a patch', async (t) => {
  const { tree, commit, open, context, scratch } = setUp(t);
  const first = commit();
  const base = must(await treeKernel(await open(first), 'ext2', {}, context)).kernel;
  const inputs = async (id: string) =>
    must(await inputsOfTree({ source: await open(id), tree, commit: id, base }, 'ext2', scratch));
  t.strictSame(
    await inputs(first),
    { kernel: base.spec, changes: [] },
    'no patch for unchanged sources',
  );

  const inode = join(tree, 'fs/ext2/inode.c');
  const changed = `${readFileSync(inode, 'utf8')}/* \xfc\n`;
  writeFileSync(inode, changed, 'latin1');
  writeFileSync(join(tree, 'fs/ext2/new.c'), 'new;\n');
  rmSync(join(tree, 'fs/ext2/super.c'));
  const second = commit();
  const made = await inputs(second);
  t.match(made, { kernel: base.spec, changes: [join(scratch, `${second.slice(0, 12)}.patch`)] });
  const variant = { name: 'again', changes: made.changes };
  const patched = must(await patchedSource(base, variant, context));
  const read = (name: string) => readFileSync(join(patched, 'fs/ext2', name), 'latin1');
  t.equal(read('inode.c'), changed, 'the patched file is identical');
  t.equal(read('new.c'), 'new;\n');
  t.throws(() => read('super.c'), { code: 'ENOENT' });
});

t.test('keeps a tree that was built whole as a kernel without patches', async (t) => {
  const { tree, commit, open, scratch } = setUp(t);
  const first = commit();
  const of = async (revision?: string) => {
    const source = await open(revision);
    const built = { source, tree, commit: await commitOf(source, revision), base: undefined };
    return must(await inputsOfTree(built, 'ext2', scratch));
  };
  t.strictSame(await of(), { kernel: `src:${tree}@${first}`, changes: [] });
  t.strictSame(await of('main'), { kernel: `src:${tree}@${first}`, changes: [] });
  writeFileSync(join(tree, 'fs/ext2/inode.c'), 'IS_DAX\n');
  t.strictSame(
    await of(),
    { kernel: `src:${tree}`, changes: [] },
    'the working tree, with uncommitted changes',
  );
  t.strictSame(await of(first), { kernel: `src:${tree}@${first}`, changes: [] });
});
