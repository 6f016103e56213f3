import { createHash } from 'node:crypto';
import { type Outcome, success } from '../outcome.js';
import { checkTool } from '../process/tool.js';
import type { FileSystem } from './file-system-module.js';
import type { GitSource } from './git-source.js';
import { RECIPES } from './recipes.js';

/**
 * Splits kernel sources by what is built from them: the file systems that are separate modules, and
 * the rest, which is the kernel.
 */

/** Patches change these along with the code, but no build reads them. */
const NOT_BUILT = ['Documentation/', 'MAINTAINERS', 'CREDITS', '.mailmap'];

/** For `git apply --exclude`. */
export const NOT_BUILT_PATTERNS: readonly string[] = NOT_BUILT.map((one) =>
  one.endsWith('/') ? `${one}*` : one,
);

const MODULES = Object.values(RECIPES).map(({ subdirectory }) => `${subdirectory}/`);

export function isNotBuilt(path: string): boolean {
  return NOT_BUILT.some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one));
}

/**
 * Whether the file belongs to a module only. A new option in Kconfig would not be in the
 * configuration.
 */
export function isBuiltAlone(path: string): boolean {
  return MODULES.some((one) => path.startsWith(one)) && !path.endsWith('/Kconfig');
}

export interface TreeParts {
  /** Changes whenever the sources of the kernel do. */
  kernel: string;
  /** git's names of the file systems' directories, for those that the tree has. */
  modules: Map<FileSystem, string>;
}

export async function partsOf(
  { git, tree, spec }: GitSource,
  signal?: AbortSignal,
): Promise<Outcome<TreeParts>> {
  const kconfigs = MODULES.map((one) => `${one}Kconfig`);
  const hash = createHash('sha256');
  const modules = new Map<FileSystem, string>();
  for (const paths of [[], ['fs/'], kconfigs]) {
    const ran = await git(['ls-tree', '-z', '--full-tree', tree, ...paths], signal);
    const listed = checkTool('git', ran, { cannot: `Cannot list the sources of ${spec}` });
    if (!listed.ok) return listed;
    for (const line of listed.value.stdout.split('\0').filter(Boolean)) {
      const [facts = '', path = ''] = line.split('\t');
      const module = Object.values(RECIPES).find(({ subdirectory }) => subdirectory === path);
      if (module) modules.set(module.name, facts.split(' ')[2] ?? '');
      else if (path !== 'fs' && !isNotBuilt(path) && !isNotBuilt(`${path}/`)) {
        hash.update(`${line}\0`);
      }
    }
  }
  return success({ kernel: hash.digest('hex').slice(0, 32), modules });
}
