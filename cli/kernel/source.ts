import { realpath } from 'node:fs/promises';
import { failure, type Outcome, success } from '../outcome.js';
import { ensureSystem } from '../system/install.js';
import { archiveSource } from './archive-source.js';
import { fetchSourceArchive } from './debian.js';
import {
  findRepository,
  type GitSource,
  gitSource,
  type Repository,
  tracksMakefile,
} from './git-source.js';
import type { KernelContext, ResolveOptions } from './kernel.js';
import { plainSource } from './plain-source.js';
import type { SourceTree } from './source-tree.js';
import type { KernelSpec } from './spec.js';

/** Opens the sources that `debsrc:` and `src:` name. Copies nothing yet. */
export async function openSource(
  spec: string,
  parsed: Extract<KernelSpec, { type: 'debsrc' | 'src' }>,
  context: KernelContext,
  { refresh = false }: ResolveOptions,
): Promise<Outcome<SourceTree>> {
  const { signal, store } = context;
  if (parsed.type === 'debsrc') {
    const archive = await fetchSourceArchive(parsed.kernel, context, { refresh });
    if (!archive.ok) return archive;
    return archiveSource(spec, archive.value, signal);
  }
  const { directory, revision } = parsed;
  const opened = await openDirectory(directory, context);
  if (!opened.ok) return opened;
  const { path, repository } = opened.value;
  if (repository) {
    const own = revision !== undefined || (await tracksMakefile(repository, signal));
    if (own) return gitSource(spec, repository, revision, store, signal);
  } else if (revision !== undefined) {
    return failure(
      'usage',
      `${directory} is in no git repository, so it has no revision ${JSON.stringify(revision)}`,
      `Leave the revision out: src:${directory}`,
    );
  }
  return plainSource(spec, path, signal);
}

/** The sources in a directory that git tracks: the working tree, or a revision. */
export async function openGitSource(
  directory: string,
  revision: string | undefined,
  context: KernelContext,
): Promise<Outcome<GitSource>> {
  const repository = await openRepository(directory, context);
  if (!repository.ok) return repository;
  const spec = `src:${directory}${revision === undefined ? '' : `@${revision}`}`;
  return gitSource(spec, repository.value, revision, context.store, context.signal);
}

/** A repository with kernel sources, for walking through its revisions. */
export async function openRepository(
  directory: string,
  context: KernelContext,
): Promise<Outcome<Repository>> {
  const opened = await openDirectory(directory, context);
  if (!opened.ok) return opened;
  const { repository } = opened.value;
  if (repository) return success(repository);
  return failure(
    'usage',
    `${directory} is in no git repository`,
    'Give the top directory of a kernel tree with its git history',
  );
}

async function openDirectory(
  directory: string,
  { progress, signal, host }: KernelContext,
): Promise<Outcome<{ path: string; repository: Repository | undefined }>> {
  const path = await realpath(directory);
  const installed = await ensureSystem(['patches'], {
    progress,
    ...(signal ? { signal } : {}),
    ...(host ? { host } : {}),
  });
  if (!installed.ok) return installed;
  progress({ type: 'stage', text: `Reading the sources in ${path}` });
  const repository = await findRepository(path, signal);
  return repository.ok ? success({ path, repository: repository.value }) : repository;
}
