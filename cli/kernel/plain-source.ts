import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
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
import { storageFailure } from '../store/store.js';
import { isBuildProduct, type SourceTree, versionOf } from './source-tree.js';

/**
 * A kernel's sources in a directory without git, as they lie there. What builds left among them is
 * no part of them, as far as it can be told by name.
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
      `${directory} is no kernel tree: it has no Makefile with a VERSION`,
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
      'Make it readable, and leave the tree alone while it is being read',
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

/** Path → what changes with the file. */
type Files = Map<string, string>;

async function readFiles(directory: string, signal?: AbortSignal): Promise<Files> {
  const files: Files = new Map();
  const visit = async (below: string): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(join(directory, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (isBuildProduct(path)) continue;
      if (entry.isDirectory()) {
        await visit(path);
      } else if (entry.isSymbolicLink()) {
        files.set(path, `link ${await readlink(join(directory, path))}`);
      } else if (entry.isFile()) {
        files.set(path, await identityOf(join(directory, path)));
      }
    }
  };
  await visit('');
  return files;
}

async function identityOf(file: string): Promise<string> {
  const [content, { mode }] = await Promise.all([readFile(file), lstat(file)]);
  const hash = createHash('sha256').update(content).digest('hex');
  return `${mode & 0o111 ? 'program' : 'file'} ${hash}`;
}

/** Makes `target`, which holds what the record says, hold `files`. */
async function update(source: string, files: Files, target: string, record: string): Promise<void> {
  const before: Files = await readFile(record, 'utf8').then(
    (text) => new Map(JSON.parse(text) as [string, string][]),
    () => new Map(),
  );
  for (const path of before.keys()) {
    if (!files.has(path)) await rm(join(target, path), { force: true, recursive: true });
  }
  for (const [path, identity] of files) {
    if (before.get(path) === identity) continue;
    const copy = join(target, path);
    await rm(copy, { force: true, recursive: true });
    await mkdir(dirname(copy), { recursive: true });
    if (identity.startsWith('link ')) {
      await symlink(identity.slice('link '.length), copy);
      continue;
    }
    await copyFile(join(source, path), copy);
    // The name in the cache is by what was read; a file that was changed since would be another.
    const copied = createHash('sha256')
      .update(await readFile(copy))
      .digest('hex');
    if (!identity.endsWith(copied)) {
      throw new ChangedMeanwhile(`${join(source, path)} was changed while it was read`);
    }
    await chmod(copy, identity.startsWith('program ') ? 0o755 : 0o644);
  }
  await writeFile(record, JSON.stringify([...files]));
}

class ChangedMeanwhile extends Error {}

function interrupted() {
  return failure('interrupted', 'Interrupted while reading the sources', 'Start it again');
}
