import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { sha256Of } from '../sha256.js';
import { cacheKey, lookUpOrMake, storageFailure } from '../store/store.js';
import { describeTree } from '../system/git-describe.js';
import { addParents, type ImageContext, pack } from './image.js';
import { isElf, librariesOf } from './libraries.js';
import type { MtreeEntry } from './mtree.js';
import {
  contentOf,
  HOST_USERLAND,
  librariesIdentity,
  pathInGuest,
  type Userland,
} from './userland.js';

/**
 * An xfstests tree as a part of the guest's root file system, repacked only when the tree changes,
 * with the libraries that its programs load. Each guest gets its own copy and shares nothing.
 *
 * As a part of the initramfs it is in the checkpoint, so that clones of a guest share it.
 */
export interface TreeArchive {
  file: string;
  /** The name of its content in the cache. */
  key: string;
  /** `git describe` of its sources, if it has them, and the first digits of `content`. */
  version: string;
  /** SHA-256 of everything that the guest gets. */
  content: string;
}

/** The path in the guest; guest-scripts/lib/xfstests.sh has it too. */
const PLACE = 'var/lib/xfstests';

/** The top-level parts of a tree that a guest needs; the rest is build files and results. */
const PARTS = ['check', 'common', 'ltp', 'src', 'tests', 'tools', 'VERSION', 'randomize.awk'];

/** Tests of file systems that are never run here: half of a tree's files. */
const OTHER_FILE_SYSTEMS = new Set(
  'afs btrfs ceph cifs f2fs nfs ocfs2 overlay perf selftest tmpfs ubifs udf'.split(' '),
);

/** Leftovers of the build, and sources of programs. */
const NOT_RUN = /^\.|\.(?:o|lo|la|a|c|h|in|orig|rej)$|^Makefile$/;

/** @param origin the user's tree, if `tree` is a copy with changes */
export async function treeArchive(
  tree: string,
  context: ImageContext,
  origin = tree,
): Promise<Outcome<TreeArchive>> {
  let files: TreeFile[];
  try {
    files = await treeFiles(tree);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return failure(
      'unreadable',
      `The xfstests tree in ${tree} cannot be read: ${message}`,
      'Make all of it readable',
    );
  }
  const { userland = HOST_USERLAND } = context;
  const described = await describeTree(origin);
  const key = cacheKey({
    layout: 2,
    files: sha256Of(files.map(({ path, stamp }) => `${path} ${stamp}\n`).join('')),
    loader: userland.key ?? librariesIdentity(userland),
  });
  const made = await lookUpOrMake(context.store, 'xfstests', key, (directory) => {
    context.progress({
      type: 'stage',
      text: `packing the xfstests tree in ${origin} for the guest`,
    });
    return packTree(tree, files, directory, { userland, signal: context.signal });
  });
  if (!made.ok) return made;
  const content = await readFile(join(made.value, 'content'), 'utf8');
  const version = [described, content.slice(0, 12)].filter(Boolean).join('+');
  return success({ file: join(made.value, 'tree.cpio'), key, version, content });
}

/** Writes the archive, and the hash of its content, into a directory of the cache. */
async function packTree(
  tree: string,
  files: readonly TreeFile[],
  directory: string,
  { userland, signal }: { userland: Userland; signal: AbortSignal | undefined },
): Promise<Outcome<void>> {
  const programs: string[] = [];
  const content = createHash('sha256');
  try {
    for (const { path, source, mode } of files) {
      const bytes = await readFile(source);
      content.update(`${path} ${mode} ${bytes.length}\n`).update(bytes);
      if (mode === 0o755 && isElf(bytes)) programs.push(source);
    }
  } catch (error) {
    return storageFailure(tree, error);
  }
  const libraries = programs.length > 0 ? await librariesOf(programs, userland) : success([]);
  if (!libraries.ok) {
    return failure(
      'program-missing',
      `Programs of the xfstests tree in ${tree} cannot run in the guest: ${libraries.failure.message}`,
      userland.root === ''
        ? 'Install the libraries it was built with, or build it on this machine'
        : `Build it on a system like ${userland.name}, or leave --userland out`,
    );
  }
  const entries = entriesOf(files, libraries.value, userland);
  const packed = await pack(entries, join(directory, 'tree.cpio'), directory, signal);
  if (!packed.ok) return packed;
  try {
    await writeFile(join(directory, 'content'), content.digest('hex'));
    return success(undefined);
  } catch (error) {
    return storageFailure(directory, error);
  }
}

interface TreeFile {
  /** Path in the tree. */
  path: string;
  /** Path of the file itself. */
  source: string;
  mode: number;
  /** Changes with the file. */
  stamp: string;
}

/** The files of a tree that the guest gets, sorted by path. Links are followed. */
async function treeFiles(tree: string): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  const walk = async (path: string): Promise<void> => {
    const source = join(tree, path);
    // Skips a dangling link.
    const information = await stat(source).catch(() => undefined);
    if (information?.isDirectory()) {
      for (const name of (await readdir(source)).sort()) {
        if (NOT_RUN.test(name)) continue;
        if (path === 'tests' && OTHER_FILE_SYSTEMS.has(name)) continue;
        await walk(join(path, name));
      }
    } else if (information?.isFile()) {
      const { size, mtimeMs, mode } = information;
      files.push({
        path,
        source,
        mode: mode & 0o111 ? 0o755 : 0o644,
        stamp: `${size} ${mtimeMs} ${mode}`,
      });
    }
  };
  for (const part of PARTS) await walk(part);
  return files;
}

function entriesOf(
  files: readonly TreeFile[],
  libraries: readonly string[],
  userland: Userland,
): MtreeEntry[] {
  const entries: MtreeEntry[] = [];
  const there = new Set<string>();
  const add = (path: string, content: string, mode: number) => {
    addParents(entries, there, path);
    entries.push({ type: 'file', path, content, mode });
  };
  for (const { path, source, mode } of files) add(join(PLACE, path), source, mode);
  for (const library of libraries) {
    add(pathInGuest(userland, library), contentOf(userland, library), 0o755);
  }
  return entries;
}
