import { readdir, readFile } from 'node:fs/promises';
import { release as hostRelease } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import { runTool } from '../process/child.js';
import { readBzImage } from './bzimage.js';
import { lacksDaxSince } from './catalogue.js';
import { RECIPES } from './recipes.js';
import { versionOf } from './source-tree.js';
import type { KernelSpec } from './spec.js';

/** Whether the code of a file system can do DAX, by the kernel's version or by its sources. */

/** As `git grep -E` and JavaScript take it. */
const DAX_CODE = '\\bIS_DAX\\b|_DAX\\b';

/**
 * The version of the kernel, if its code of this file system is known to have no DAX. Looks at files alone;
 * undefined if they do not tell.
 */
export async function versionWithoutDax(
  kernel: KernelSpec,
  fs: FileSystem,
): Promise<string | undefined> {
  const release = await releaseOf(kernel);
  if (release !== undefined) {
    return lacksDaxSince(release).includes(fs) ? release : undefined;
  }
  if (kernel.type !== 'src') return undefined;
  const { directory, revision } = kernel;
  const without =
    revision === undefined
      ? await lacksDaxCode(directory, fs)
      : await revisionLacksDax(directory, revision, fs);
  if (!without) return undefined;
  return revision ?? (await versionOf(directory)) ?? directory;
}

async function releaseOf(kernel: KernelSpec): Promise<string | undefined> {
  switch (kernel.type) {
    case 'debian':
    case 'debsrc':
      return kernel.kernel.version;
    case 'host':
      return hostRelease();
    case 'image':
      return (await readBzImage(kernel.image).catch(() => undefined))?.release;
    case 'src':
      return undefined;
  }
}

/** The file systems whose code in these sources has no DAX. One without code is among them. */
export async function withoutDax(source: string): Promise<string[]> {
  const without: string[] = [];
  for (const { name, subdirectory } of Object.values(RECIPES)) {
    const files = await codeFiles(join(source, subdirectory));
    if (files.length === 0 || !(await mentionDax(files))) without.push(name);
  }
  return without;
}

/** False if the tree has no code of this file system, as in a sparse checkout. */
async function lacksDaxCode(source: string, fs: FileSystem): Promise<boolean> {
  const files = await codeFiles(join(source, RECIPES[fs].subdirectory));
  return files.length > 0 && !(await mentionDax(files));
}

async function codeFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => /\.[ch]$/.test(name)).map((name) => join(directory, name));
}

async function mentionDax(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    if (new RegExp(DAX_CODE).test(await readFile(file, 'utf8'))) return true;
  }
  return false;
}

/** git grep exits with 0 if something matches, 1 if nothing does, and another code for an error. */
async function revisionLacksDax(
  directory: string,
  revision: string,
  fs: FileSystem,
): Promise<boolean> {
  // git would take it as an option.
  if (revision.startsWith('-')) return false;
  const grep = async (pattern: string) => {
    const { subdirectory } = RECIPES[fs];
    const argv = ['git', 'grep', '-q', '-E', '-e', pattern, revision, '--', subdirectory] as const;
    return runTool(argv, { cwd: directory });
  };
  // No match is no proof if the revision has no such directory.
  const [dax, any] = await Promise.all([grep(DAX_CODE), grep('.')]);
  return dax.exitCode === 1 && any.exitCode === 0;
}
