import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { exitCodeOf, formatFailure } from '../../cli/outcome.js';
import { setUpKernelTree, writeKernelTree } from './fake-kernel-tree.js';

const ALL = ['dax.c', 'inode.c', 'memory.c', 'super.c'];

function setUp(t: import('tap').Test) {
  const rig = setUpKernelTree(t);
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...argv], {
      cwd: rig.tree,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    }).trim();
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('tag', 'v1');
  const build = async (suffix = '', directory = rig.tree) => {
    const kernel = await resolveKernel(`src:${directory}${suffix}`, rig.context);
    if (!kernel.ok) throw new Error(formatFailure(kernel.failure));
    return kernel.value;
  };
  return { ...rig, git, build };
}

/** Every file of a repository with its times: nothing may be written to it. */
function snapshot(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, ctimeMs } = lstatSync(join(tree, name));
      return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
    });
}

t.test("takes the working tree's tracked files, and writes nothing", async (t) => {
  const { tree, build, compiled } = setUp(t);
  const committed = await build();
  t.strictSame(compiled(), ALL);

  writeFileSync(join(tree, 'fs/dax.c'), 'uncommitted;\n');
  writeFileSync(join(tree, 'fs/untracked.c'), 'untracked;\n');
  const before = snapshot(tree);
  const dirty = await build();
  t.strictSame(snapshot(tree), before);
  t.strictSame(compiled(), ['dax.c']);
  t.not(dirty.id, committed.id);

  t.strictSame((await build('@v1')).id, committed.id, 'the revision is not the working tree');
  t.strictSame(compiled(), []);
});

t.test('compiles only what differs between two revisions', async (t) => {
  const { tree, git, build, compiled } = setUp(t);
  await build('@v1');
  compiled();
  writeFileSync(join(tree, 'mm/memory.c'), 'second;\n');
  rmSync(join(tree, 'include/linux/dax.h'));
  git('commit', '-qam', 'second');
  const second = await build('@main');
  t.strictSame(compiled(), ['memory.c']);
  t.throws(() => readFileSync(join(second.build?.headers ?? '', 'include/linux/dax.h')));
  t.equal((await build()).id, second.id, 'takes a clean working tree as its last commit');
});

t.test('rejects a revision that does not exist or is malformed', async (t) => {
  const { tree, context } = setUp(t);
  for (const revision of ['v9', '--all', 'HEAD:Makefile']) {
    const kernel = await resolveKernel(`src:${tree}@${revision}`, context);
    if (kernel.ok) return t.fail(revision);
    t.match(kernel.failure.message, `has no revision "${revision}"`);
    t.equal(exitCodeOf(kernel.failure), 2);
  }
});

t.test('finds a kernel in a subfolder of a repository', async (t) => {
  const { root, tree, git, build, compiled } = setUp(t);
  const inner = join(tree, 'vendor/kernel');
  mkdirSync(inner, { recursive: true });
  writeKernelTree(inner);
  git('add', '.');
  git('commit', '-qm', 'vendor');
  const kernel = await build('', inner);
  t.strictSame(compiled(), ALL);
  t.equal((await build('@main', inner)).id, kernel.id);
  const linked = join(root, 'linked');
  git('worktree', 'add', '-q', linked, 'v1');
  writeFileSync(join(linked, 'fs/dax.c'), 'in the other work tree;\n');
  const other = await build('', linked);
  t.strictSame(compiled(), ALL);
  t.not(other.id, kernel.id);
});

t.test('rejects a revision of a directory without git', async (t) => {
  const rig = setUpKernelTree(t);
  // The tests' directory lies in this program's checkout, which does not track it.
  const kernel = await resolveKernel(`src:${rig.tree}@v1`, rig.context);
  t.match(kernel, { ok: false, failure: { kind: 'usage' } });
});
