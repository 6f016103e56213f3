import type { FileSystem } from '../file-systems.js';
import { gitIn, type Repository } from '../kernel/git-source.js';
import { RECIPES } from '../kernel/recipes.js';
import { isBuiltAlone, isNotBuilt } from '../kernel/tree-parts.js';
import { failure, type Outcome, success } from '../outcome.js';
import { checkTool } from '../process/tool.js';
import { type Change, GOOD } from './plan.js';

/** The commits between a good and a bad one, and which of them change what is built. */

export interface GitHistory {
  /** Full names of the two commits. */
  good: string;
  bad: string;
  changes: Change[];
  /** The content of the good commit, as in `Change`. */
  content: string;
  /** The first commit that changes the kernel itself, and a path in it; undefined if only modules differ. */
  kernelChange: { id: string; title: string; path: string } | undefined;
}

export interface Range {
  good: string;
  bad: string;
  firstParent: boolean;
}

/** @param fs the file system under test: changes to other file systems are ignored */
export async function gitHistory(
  repository: Repository,
  range: Range,
  fs: FileSystem,
  signal?: AbortSignal,
): Promise<Outcome<GitHistory>> {
  const ends = await endsOf(repository, range, signal);
  if (!ends.ok) return ends;
  const { good, bad } = ends.value;
  const git = async (argv: readonly string[], input?: string) =>
    checkTool(
      'git',
      await gitIn(repository, argv, { signal, ...(input === undefined ? {} : { input }) }),
      { cannot: `Cannot read the history of ${repository.directory}` },
    );
  const listed = await git([
    ...['log', '--topo-order', '--reverse', '--no-show-signature', '--no-color'],
    ...(range.firstParent ? ['--first-parent'] : []),
    ...['--format=%H%x09%P%x09%s', `${good}..${bad}`, '--'],
  ]);
  if (!listed.ok) return listed;
  const commits = listed.value.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', parents = '', ...title] = line.split('\t');
      const all = parents.split(' ').filter(Boolean);
      return { id, parents: range.firstParent ? all.slice(0, 1) : all, title: title.join('\t') };
    });
  // With the parents on the same line, git compares the commit with each of them.
  const fed = `${commits.map(({ id, parents }) => [id, ...parents].join(' ')).join('\n')}\n`;
  const compare = ['diff-tree', '--stdin', '-m', '-z', '--always', '--root', '--no-renames'];
  const format = ['--name-only', '--relative', '--format=%x01%H'];
  const top = await git([...compare, ...format], fed);
  if (!top.ok) return top;
  const below = await git([...compare, '-r', ...format, '--', 'fs'], fed);
  if (!below.ok) return below;
  const { subdirectory } = RECIPES[fs];
  const names = [good, ...commits.map(({ id }) => id)];
  const asked = names.map((name) => `${name}:./${subdirectory}\n`).join('');
  const trees = await git(['cat-file', '--batch-check=%(objectname)'], asked);
  if (!trees.ok) return trees;
  const treeOf = new Map(
    trees.value.stdout
      .split('\n')
      .map((tree, at) => [names[at] ?? '', / missing$/.test(tree) ? 'none' : tree]),
  );
  const outside = sections(top.value.stdout).map((paths, at) => [
    ...paths.filter((path) => path !== 'fs' && !isNotBuilt(path) && !isNotBuilt(`${path}/`)),
    ...(sections(below.value.stdout)[at] ?? []).filter((path) => !isBuiltAlone(path)),
  ]);
  return success({ good, bad, ...assemble(good, commits, outside, treeOf) });
}

interface Commit {
  id: string;
  parents: string[];
  title: string;
}

/** @param outside the paths outside of the modules that differ: one list per commit and parent */
function assemble(
  good: string,
  commits: readonly Commit[],
  outside: readonly string[][],
  treeOf: ReadonlyMap<string, string>,
): Pick<GitHistory, 'changes' | 'content' | 'kernelChange'> {
  const place = new Map(commits.map(({ id }, at) => [id, at]));
  const kernels = new Map<string, string>();
  const contentOf = (id: string) => `${kernels.get(id) ?? id} ${treeOf.get(id) ?? 'none'}`;
  let kernelChange: GitHistory['kernelChange'];
  let section = 0;
  for (const { id, parents, title } of commits) {
    // A kernel is named after the first commit that builds it.
    let kernel = id;
    for (const parent of parents) {
      const [path] = outside[section] ?? [];
      section += 1;
      if (path === undefined) kernel = kernels.get(parent) ?? parent;
      else kernelChange ??= { id, title, path };
    }
    kernels.set(id, kernel);
  }
  const changes = commits.map(({ id, parents, title }) => ({
    id,
    title,
    parents: parents.map((parent) => place.get(parent) ?? GOOD),
    content: contentOf(id),
  }));
  return { changes, content: contentOf(good), kernelChange };
}

/** The paths after each header, in order. */
function sections(text: string): string[][] {
  return text
    .split('\x01')
    .slice(1)
    .map((section) =>
      section
        .split('\0')
        .slice(1)
        .map((path) => path.replace(/^\n/, ''))
        .filter(Boolean),
    );
}

async function endsOf(
  repository: Repository,
  range: Range,
  signal?: AbortSignal,
): Promise<Outcome<{ good: string; bad: string }>> {
  const names: string[] = [];
  for (const revision of [range.good, range.bad]) {
    const argv = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    const found = await gitIn(repository, argv, { signal });
    if (found.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
    if (!found.ok) {
      return failure(
        'usage',
        `The git tree ${repository.directory} has no commit ${JSON.stringify(revision)}`,
        'Give a branch, a tag or a commit that `git log` accepts in that tree',
      );
    }
    names.push(found.stdout);
  }
  const [good = '', bad = ''] = names;
  const related = await gitIn(repository, ['merge-base', '--is-ancestor', good, bad], { signal });
  if (related.ok && good !== bad) return success({ good, bad });
  return failure(
    'usage',
    good === bad
      ? `--good ${range.good} and --bad ${range.bad} are the same commit`
      : `--good ${range.good} is not an ancestor of --bad ${range.bad}`,
    good === bad
      ? 'Give a good commit and a later one that is bad'
      : `Check whether their merge base is good, and give that as --good: git merge-base ${range.good} ${range.bad}`,
  );
}
