import { realpath } from 'node:fs/promises';
import { failure, type Outcome } from '../outcome.js';
import { ensureSystem } from '../system/install.js';
import { archiveSource } from './archive-source.js';
import { fetchSourceArchive } from './debian.js';
import { findRepository, gitSource, tracksMakefile } from './git-source.js';
import type { KernelContext, ResolveOptions } from './kernel.js';
import { plainSource } from './plain-source.js';
import type { SourceTree } from './source-tree.js';
import type { KernelSpec } from './spec.js';

/** Opens the sources that `debsrc:` and `src:` name. Nothing is copied yet. */
export async function openSource(
  spec: string,
  parsed: Extract<KernelSpec, { type: 'debsrc' | 'src' }>,
  context: KernelContext,
  { refresh = false }: ResolveOptions,
): Promise<Outcome<SourceTree>> {
  const { progress, signal, store } = context;
  if (parsed.type === 'debsrc') {
    const archive = await fetchSourceArchive(parsed.kernel, context, { refresh });
    if (!archive.ok) return archive;
    return archiveSource(spec, { ...archive.value, series: parsed.kernel.version }, signal);
  }
  const directory = await realpath(parsed.directory);
  const installed = await ensureSystem(['patches'], {
    progress,
    ...(signal ? { signal } : {}),
    ...(context.host ? { host: context.host } : {}),
  });
  if (!installed.ok) return installed;
  progress({ type: 'stage', text: `Reading the sources in ${directory}` });
  const repository = await findRepository(directory, signal);
  if (!repository.ok) return repository;
  const { revision } = parsed;
  if (repository.value) {
    const own = revision !== undefined || (await tracksMakefile(repository.value, signal));
    if (own) return gitSource(spec, repository.value, revision, store, signal);
  } else if (revision !== undefined) {
    return failure(
      'usage',
      `${parsed.directory} is in no git repository, so it has no revision ${JSON.stringify(revision)}`,
      `Leave the revision out: src:${parsed.directory}`,
    );
  }
  return plainSource(spec, directory, signal);
}
