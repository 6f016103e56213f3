import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { gitHistory } from '../../cli/bisect/git-history.js';
import { GOOD } from '../../cli/bisect/plan.js';
import { findRepository, gitSource } from '../../cli/kernel/git-source.js';
import { partsOf } from '../../cli/kernel/tree-parts.js';

/** A minimal kernel tree in git. */
function repository(t: Test) {
  const directory = t.testdir();
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
  const git = (...argv: string[]) =>
    execFileSync('git', [...identity, ...argv], { cwd: directory, encoding: 'utf8' }).trim();
  const commit = (...paths: string[]) => {
    for (const path of paths) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(
        join(directory, path),
        `${path === 'Makefile' ? MAKEFILE : ''}# ${Math.random()}\n`,
      );
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', paths.join(' '));
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet', '--initial-branch=main');
  return { directory, git, commit };
}

const MAKEFILE = 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n';

async function history(directory: string, good: string, bad = 'main', firstParent = false) {
  const found = await findRepository(directory);
  if (!found.ok || !found.value) throw new Error('no repository');
  return gitHistory(found.value, { good, bad, firstParent }, 'ext2');
}

async function read(...[directory, good, bad, firstParent]: Parameters<typeof history>) {
  const found = await history(directory, good, bad, firstParent);
  if (!found.ok) throw new Error(found.failure.message);
  return found.value;
}

t.test('tells which commits change the kernel or the module', async (t) => {
  const { directory, commit } = repository(t);
  const good = commit('Makefile', 'fs/ext2/inode.c', 'fs/xfs/xfs.c', 'Documentation/index.rst');
  commit('Documentation/index.rst', 'MAINTAINERS');
  commit('fs/ext2/inode.c');
  commit('fs/xfs/xfs.c');
  const outside = commit('include/linux/fs.h', 'fs/ext2/inode.c');
  commit('fs/ext2/Kconfig');
  const { changes, content, kernelChange } = await read(directory, good);
  const contents = changes.map((change) => change.content);
  t.equal(contents[0], content, 'documentation does not change the build');
  t.not(contents[1], contents[0]);
  t.equal(contents[2], contents[1], 'other file systems do not change it either');
  const kernels = [content, ...contents].map((one) => one.split(' ')[0]);
  t.strictSame(
    kernels.map((one) => kernels.indexOf(one)),
    [0, 0, 0, 0, 4, 5],
    'a header, or a new option, changes the kernel',
  );
  t.match(kernelChange, { id: outside, path: 'include' });
  t.strictSame(
    changes.map(({ parents }) => parents),
    [[GOOD], [0], [1], [2], [3]],
  );
});

t.test('reads histories with branches, and the main line alone with firstParent', async (t) => {
  const { directory, git, commit } = repository(t);
  const good = commit('Makefile', 'fs/ext2/inode.c', 'fs/ext2/dir.c');
  git('checkout', '--quiet', '-b', 'side');
  commit('fs/ext2/dir.c');
  git('checkout', '--quiet', 'main');
  commit('fs/ext2/inode.c');
  git('merge', '--quiet', '--no-edit', 'side');
  const { changes, kernelChange } = await read(directory, good);
  t.equal(kernelChange, undefined);
  t.strictSame(
    changes.map(({ parents }) => parents.toSorted()),
    [[GOOD], [GOOD], [0, 1]],
  );
  t.equal(new Set(changes.map(({ content }) => content)).size, 3);
  const line = await read(directory, good, 'main', true);
  t.strictSame(
    line.changes.map(({ parents }) => parents),
    [[GOOD], [0]],
    'only the main line',
  );
});

t.test('rejects unknown ends, equal ends and a good end that is not an ancestor', async (t) => {
  const { directory, git, commit } = repository(t);
  const first = commit('Makefile');
  const second = commit('fs/ext2/inode.c');
  git('checkout', '--quiet', '-b', 'side', first);
  commit('fs/ext2/dir.c');
  t.match(await history(directory, 'nowhere'), {
    ok: false,
    failure: { message: /no commit "nowhere"/ },
  });
  t.match(await history(directory, second, second), {
    ok: false,
    failure: { message: /the same/ },
  });
  t.match(await history(directory, 'side'), {
    ok: false,
    failure: { kind: 'usage', message: /is not an ancestor/, remedy: /git merge-base side main/ },
  });
});

t.test('identifies a kernel by all files except file systems and documentation', async (t) => {
  const { directory, commit } = repository(t);
  const kernelAt = async (revision: string) => {
    const found = await findRepository(directory);
    if (!found.ok || !found.value) throw new Error('no repository');
    const store = { root: t.testdirName.replace(/$/, '-cache') };
    const source = await gitSource('src:.', found.value, revision, store);
    if (!source.ok) throw new Error(source.failure.message);
    const parts = await partsOf(source.value);
    if (!parts.ok) throw new Error(parts.failure.message);
    return parts.value;
  };
  const first = await kernelAt(commit('Makefile', 'fs/ext2/inode.c', 'fs/inode.c', 'mm/filemap.c'));
  const module = await kernelAt(commit('fs/ext2/inode.c', 'Documentation/index.rst'));
  t.equal(module.kernel, first.kernel);
  t.not(module.modules.get('ext2'), first.modules.get('ext2'));
  t.equal(first.modules.get('xfs'), undefined);
  let before = module.kernel;
  for (const path of ['fs/inode.c', 'mm/filemap.c', 'fs/ext2/Kconfig', 'Makefile', 'new']) {
    const { kernel } = await kernelAt(commit(path));
    t.not(kernel, before, path);
    before = kernel;
  }
});
