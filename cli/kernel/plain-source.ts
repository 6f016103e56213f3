import { createHash } from 'node:crypto';
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { sha256Of } from '../sha256.js';
import { storageFailure } from '../store/store.js';
import { isBuildProduct, type SourceTree, versionOf } from './source-tree.js';

/**
 * A kernel's sources in a directory without git, as they are. Skips what builds left there, as far
 * as the names tell.
 */
export async function plainSource(
  spec: string,
  directory: string,
  signal?: AbortSignal,
): Promise<Outcome<SourceTree>> {
  const version = await versionOf(directory);
  if (!version) {
    return failure(
      'usage',
      `${directory} is not a kernel tree: it has no Makefile with a VERSION`,
      'Give the top directory of a kernel tree',
    );
  }
  const files = await readFiles(directory, signal).catch((error: NodeJS.ErrnoException) => error);
  if (files instanceof Error) {
    if (signal?.aborted) return interrupted();
    if (files.code === undefined) throw files;
    return failure(
      'unreadable',
      `${files.path ?? directory} cannot be read: ${files.code}`,
      'Make it readable, and do not change the tree while it is being read',
    );
  }
  const hash = createHash('sha256');
  for (const [path, identity] of files) hash.update(`${path}\0${identity}\0`);
  return success({
    spec,
    identity: `plain ${hash.digest('hex')}`,
    family: `plain ${directory}`,
    version,
    exportTo: async (target, notes) => {
      try {
        await update(directory, files, target, join(notes, 'files.json'));
        return success(undefined);
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) return storageFailure(target, error);
        return failure('storage', error.message, 'Start it again when nothing writes to the tree');
      }
    },
  });
}

/** Path → a value that changes with the file. */
type Files = Map<string, string>;

async function readFiles(directory: string, signal?: AbortSignal): Promise<Files> {
  const paths: { path: string; link: boolean }[] = [];
  const visit = async (below: string): Promise<void> => {
    const entries = await readdir(join(directory, below), { withFileTypes: true });
    for (const entry of entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (isBuildProduct(path)) continue;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        paths.push({ path, link: entry.isSymbolicLink() });
      }
    }
  };
  await visit('');
  paths.sort((a, b) => (a.path < b.path ? -1 : 1));
  const files: Files = new Map(paths.map(({ path }) => [path, '']));
  await inBatches(paths, async ({ path, link }) => {
    signal?.throwIfAborted();
    const file = join(directory, path);
    files.set(path, link ? `link ${await readlink(file)}` : await identityOf(file));
  });
  return files;
}

async function identityOf(file: string): Promise<string> {
  const [content, { mode }] = await Promise.all([readFile(file), lstat(file)]);
  return `${mode & 0o111 ? 'program' : 'file'} ${sha256Of(content)}`;
}

/** Makes `target`, which holds what `record` says, hold `files`. */
async function update(source: string, files: Files, target: string, record: string): Promise<void> {
  const before: Files = await readFile(record, 'utf8').then(
    (text) => new Map(JSON.parse(text) as [string, string][]),
    () => new Map(),
  );
  for (const path of before.keys()) {
    if (!files.has(path)) await rm(join(target, path), { force: true, recursive: true });
  }
  const changed = [...files].filter(([path, identity]) => before.get(path) !== identity);
  for (const directory of new Set(changed.map(([path]) => dirname(path)))) {
    await mkdir(join(target, directory), { recursive: true });
  }
  await inBatches(changed, async ([path, identity]) => {
    const copy = join(target, path);
    if (before.has(path)) await rm(copy, { force: true, recursive: true });
    if (identity.startsWith('link ')) {
      await symlink(identity.slice('link '.length), copy);
      return;
    }
    const content = await readFile(join(source, path));
    // The cache key is made of what was read; a file changed since would need another key.
    if (!identity.endsWith(sha256Of(content))) {
      throw new ChangedMeanwhile(`${join(source, path)} was changed while it was read`);
    }
    await writeFile(copy, content, { mode: identity.startsWith('program ') ? 0o755 : 0o644 });
  });
  await writeFile(record, JSON.stringify([...files]));
}

/** In batches: a tree has 80,000 files. */
async function inBatches<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += 64) {
    await Promise.all(items.slice(at, at + 64).map(work));
  }
}

class ChangedMeanwhile extends Error {}

function interrupted() {
  return failure('interrupted', 'Interrupted while reading the sources', 'Start it again');
}
