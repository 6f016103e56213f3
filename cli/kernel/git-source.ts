import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool, type ToolResult } from '../process/child.js';
import { diskFull } from '../process/tool.js';
import { cacheKey, type Store } from '../store/store.js';
import { useWorkspace } from '../store/workspace.js';
import { parseVersion, type SourceTree } from './source-tree.js';

/**
 * A kernel's sources in a git repository: a revision, or the working tree with the uncommitted
 * changes of tracked files.
 *
 * Nothing is ever written to the repository. The index and new objects are our own; the
 * repository's objects are read as alternates (gitrepository-layout(5),
 * GIT_ALTERNATE_OBJECT_DIRECTORIES).
 */

export interface Repository {
  /** The directory that the user named, which may be below the top of the repository. */
  directory: string;
  gitDirectory: string;
  objects: string;
  index: string;
}

/** Sources that git has as a tree object. */
export interface GitSource extends SourceTree {
  /** The object's name. */
  tree: string;
  repository: Repository;
  /** Runs git in the repository, where it also finds the objects of the working tree. */
  git(argv: readonly string[], signal?: AbortSignal): Promise<ToolResult>;
  /** `exportTo` for one directory of the sources, `fs/ext2`. */
  exportPart(
    path: string,
    directory: string,
    notes: string,
    signal?: AbortSignal,
  ): Promise<Outcome<unknown>>;
}

/** undefined if `directory` is in no repository, or in one that does not track it. */
export async function findRepository(
  directory: string,
  signal?: AbortSignal,
): Promise<Outcome<Repository | undefined>> {
  const found = await git(
    ['rev-parse', '--absolute-git-dir', '--git-path', 'objects', '--git-path', 'index'],
    { cwd: directory, signal },
  );
  if (found.canceled) return interrupted();
  if (found.exitCode === 127) {
    return failure('program-missing', 'This machine has no git', '`daxrepro setup` installs it');
  }
  if (!found.ok) {
    if (/dubious ownership/.test(found.stderr)) {
      return failure(
        'unreadable',
        `git does not read ${directory}: it belongs to another user`,
        'Mark it as trusted, as git explains above, or use a copy of your own',
        { detail: found.stderr },
      );
    }
    return success(undefined);
  }
  const [gitDirectory = '', objects = '', index = ''] = found.stdout.split('\n');
  return success({
    directory,
    gitDirectory,
    objects: resolve(directory, objects),
    index: resolve(directory, index),
  });
}

/**
 * Whether git tracks this directory's Makefile: an unpacked tree may lie in an unrelated
 * repository.
 */
export async function tracksMakefile(
  { directory }: Repository,
  signal?: AbortSignal,
): Promise<boolean> {
  const listed = await git(['ls-files', '--error-unmatch', '--', 'Makefile'], {
    cwd: directory,
    signal,
  });
  return listed.ok;
}

/** @param revision undefined: the working tree */
export async function gitSource(
  spec: string,
  repository: Repository,
  revision: string | undefined,
  store: Store,
  signal?: AbortSignal,
): Promise<Outcome<GitSource>> {
  const key = cacheKey({ repository: repository.gitDirectory, directory: repository.directory });
  const tree = await useWorkspace(store, 'kernel-objects', key, async (own) => {
    await mkdir(join(own, 'objects'), { recursive: true });
    return revision === undefined
      ? treeAsItStands(repository, own, signal)
      : treeOf(repository, revision, signal);
  });
  if (!tree.ok) return tree;
  const objects = join(store.root, 'kernel-objects', key, 'objects');
  const environment = foreignObjects(repository, objects);
  const makefile = await git(['cat-file', 'blob', `${tree.value}:Makefile`], {
    cwd: repository.directory,
    env: environment,
    signal,
  });
  const version = parseVersion(makefile.stdout);
  if (!version) return noKernel(spec, revision);
  const exported =
    (what: string): SourceTree['exportTo'] =>
    async (directory, notes, signal) => {
      await mkdir(directory, { recursive: true });
      // The index records which versions of the files are there, so git writes only the others.
      const read = await git(['read-tree', '--reset', '-u', what], {
        cwd: directory,
        env: {
          ...environment,
          GIT_DIR: repository.gitDirectory,
          GIT_WORK_TREE: directory,
          GIT_INDEX_FILE: join(notes, 'index'),
        },
        signal,
      });
      if (read.canceled) return interrupted();
      if (read.ok) return success(undefined);
      return (
        diskFull(read.all, `Cannot copy ${spec}`) ??
        failure('tool-failed', `git cannot copy ${spec}`, "git's message is above", {
          detail: read.all.slice(-2000),
        })
      );
    };
  return success({
    spec,
    identity: `git ${tree.value}`,
    family: `git ${repository.gitDirectory} ${repository.directory}`,
    version,
    tree: tree.value,
    repository,
    git: (argv, signal) => git(argv, { cwd: repository.directory, env: environment, signal }),
    exportTo: exported(tree.value),
    exportPart: (path, ...rest) => exported(`${tree.value}:${path}`)(...rest),
  });
}

/** Runs git in a repository without changing it. */
export function gitIn(
  { directory }: Repository,
  argv: readonly string[],
  { signal, input }: { signal?: AbortSignal | undefined; input?: string } = {},
): Promise<ToolResult> {
  return git(argv, { cwd: directory, signal, input });
}

async function treeOf(
  { directory }: Repository,
  revision: string,
  signal?: AbortSignal,
): Promise<Outcome<string>> {
  const commit = await git(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
    { cwd: directory, signal },
  );
  if (commit.canceled) return interrupted();
  if (!commit.ok) {
    return failure(
      'usage',
      `The git tree ${directory} has no revision ${JSON.stringify(revision)}`,
      'Give a branch, a tag or a commit that `git log` accepts there',
    );
  }
  const tree = await git(['rev-parse', '--verify', '--quiet', `${commit.stdout}:./`], {
    cwd: directory,
    signal,
  });
  if (tree.ok) return success(tree.stdout);
  return failure(
    'usage',
    `Revision ${revision} does not have the directory ${directory}`,
    'Give a revision that has it',
  );
}

/** The tree object that `git commit -a` would make, written to our own objects. */
async function treeAsItStands(
  repository: Repository,
  own: string,
  signal?: AbortSignal,
): Promise<Outcome<string>> {
  const index = join(own, 'index');
  await copyFile(repository.index, index);
  const options = {
    cwd: repository.directory,
    // Without the repository's objects: git would touch those that it would have written.
    env: { GIT_OBJECT_DIRECTORY: join(own, 'objects'), GIT_INDEX_FILE: index },
    signal,
  };
  const prefix = await git(['rev-parse', '--show-prefix'], options);
  const added = await git(['add', '--update', '--', '.'], options);
  if (added.canceled) return interrupted();
  const below = prefix.stdout === '' ? [] : [`--prefix=${prefix.stdout}`];
  const written = added.ok ? await git(['write-tree', '--missing-ok', ...below], options) : added;
  if (written.canceled) return interrupted();
  if (written.ok) return success(written.stdout);
  return (
    diskFull(written.all, `Cannot read ${repository.directory}`) ??
    failure(
      'unreadable',
      `git cannot determine the current content of ${repository.directory}`,
      'Finish the merge or the rebase there, or name a revision: src:DIR@REV',
      { detail: written.all.slice(-2000) },
    )
  );
}

function foreignObjects({ objects }: Repository, own: string): Record<string, string> {
  return { GIT_OBJECT_DIRECTORY: own, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects };
}

/**
 * Settings of the repository that must not apply here: they run programs, or omit or change files.
 */
const PLAIN = {
  'core.fsmonitor': 'false',
  'core.hooksPath': '/dev/null',
  'core.sparseCheckout': 'false',
  'core.autocrlf': 'false',
  'core.untrackedCache': 'false',
  'gc.auto': '0',
};

function git(
  argv: readonly string[],
  {
    cwd,
    env = {},
    signal,
    input,
  }: {
    cwd: string;
    env?: Record<string, string>;
    signal?: AbortSignal | undefined;
    input?: string | undefined;
  },
): Promise<ToolResult> {
  const settings = Object.entries(PLAIN).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return runTool(['git', ...settings, ...argv], {
    cwd,
    env: { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', ...env },
    ...(signal ? { signal } : {}),
    ...(input === undefined ? {} : { input }),
  });
}

function interrupted() {
  return failure('interrupted', 'Interrupted while reading the sources', 'Start it again');
}

function noKernel(spec: string, revision: string | undefined) {
  return failure(
    'usage',
    `${spec} is not a kernel tree: ${revision === undefined ? 'it' : 'that revision'} has no Makefile with a VERSION`,
    'Give the top directory of a kernel tree',
  );
}
