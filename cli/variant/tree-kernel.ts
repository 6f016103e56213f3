import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import {
  builtFileSystemModule,
  type FileSystemModule,
  fileSystemModule,
  isBuiltIn,
} from '../kernel/file-system-module.js';
import { buildKernel } from '../kernel/full-build.js';
import type { GitSource } from '../kernel/git-source.js';
import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { partsOf, type TreeParts } from '../kernel/tree-parts.js';
import { failure, type Outcome, success } from '../outcome.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';

/**
 * The kernel and the file system's module of a git tree. Trees that differ only in their file
 * systems share a kernel, so only the module of the second one is built.
 */

export interface TreeKernel {
  kernel: Kernel;
  module: FileSystemModule | undefined;
}

/** @param base a kernel to build the module for, known to fit: see tree-base.ts */
export async function treeKernel(
  source: GitSource,
  fs: FileSystem,
  { base, build = {} }: { base?: Kernel | undefined; build?: BuildOptions | undefined },
  context: KernelContext,
): Promise<Outcome<TreeKernel>> {
  const parts = await partsOf(source, context.signal);
  if (!parts.ok) return parts;
  const shared = { ...source, builtAs: `kernel of ${parts.value.kernel}` };
  const kernel = base
    ? success(base)
    : await buildKernel({ tree: shared, options: build }, context);
  if (!kernel.ok) return kernel;
  if (base === undefined && (await isBuiltIn(kernel.value, fs))) {
    // Without modules, each tree's own file systems are built in.
    const own = await buildKernel({ tree: source, options: build }, context);
    if (!own.ok) return own;
    const module = await fileSystemModule(own.value, fs, context);
    return module.ok ? success({ kernel: own.value, module: module.value }) : module;
  }
  const directory = await moduleSource(source, fs, parts.value, context);
  if (!directory.ok) return directory;
  const module = await builtFileSystemModule(kernel.value, fs, directory.value, context);
  return module.ok ? success({ kernel: kernel.value, module: module.value }) : module;
}

/** A directory like `fs/ext2`, as a cache entry keyed by its git object name. */
async function moduleSource(
  source: GitSource,
  fs: FileSystem,
  { modules }: TreeParts,
  context: KernelContext,
): Promise<Outcome<string>> {
  const { subdirectory } = RECIPES[fs];
  const name = modules.get(fs);
  if (name === undefined) {
    return failure(
      'build-failed',
      `${source.spec} has no ${subdirectory}`,
      'Choose revisions that have this file system',
    );
  }
  const entry = await lookUpOrMake(
    context.store,
    'tree-source',
    cacheKey({ tree: name }),
    async (directory) => {
      const notes = await mkdtemp(join(tmpdir(), 'daxrepro-'));
      try {
        await mkdir(join(directory, subdirectory), { recursive: true });
        const to = join(directory, subdirectory);
        return await source.exportPart(subdirectory, to, notes, context.signal);
      } finally {
        await rm(notes, { recursive: true, force: true });
      }
    },
  );
  return entry.ok ? success(join(entry.value, subdirectory)) : entry;
}
