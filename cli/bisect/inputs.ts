import { cp, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { GitSource } from '../kernel/git-source.js';
import type { Kernel } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { checkTool } from '../kernel/tool.js';
import { type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';

/**
 * What was built of a tree, in words that `run` has, too: a kernel, and changes to it. So a run of a
 * bisection is replayed like any other.
 */
export interface BuildInputs {
  /** `--kernel`. */
  kernel: string;
  /** Files, in order. */
  changes: readonly string[];
  steps?: number;
}

export interface BuiltTree {
  source: GitSource;
  /** The user's directory of it. */
  tree: string;
  /** undefined: as it stands, with what is not committed. */
  commit: string | undefined;
  /** What its modules run on; undefined: it was built whole. */
  base: Kernel | undefined;
}

/** @param scratch where the patch is made: a directory that is there and belongs to the caller */
export async function inputsOfTree(
  { source, tree, commit, base }: BuiltTree,
  fs: FileSystem,
  scratch: string,
  signal?: AbortSignal,
): Promise<Outcome<BuildInputs>> {
  const directory = resolve(tree);
  if (!base) {
    const kernel = `src:${directory}${commit === undefined ? '' : `@${commit}`}`;
    return success({ kernel, changes: [] });
  }
  const name = commit?.slice(0, 12) ?? 'tree';
  const patch = await patchFrom(base, source, fs, { scratch, name, signal });
  return patch.ok ? success({ kernel: base.spec, changes: patch.value }) : patch;
}

/** The commit that has these sources: the named one, or what is checked out, where nothing differs from it. */
export async function commitOf(
  { git, tree }: GitSource,
  revision = 'HEAD',
): Promise<string | undefined> {
  const found = await git(['rev-parse', `${revision}^{commit}`, `${revision}:./`]);
  const [commit, standing] = found.stdout.split('\n');
  return found.ok && standing === tree ? commit : undefined;
}

/**
 * The patch that makes a tree's sources of a file system of those that the kernel was built from, all
 * else being the same (see ../kernel/tree-base.ts).
 *
 * @returns its file; none where nothing differs
 */
async function patchFrom(
  { build, spec }: Kernel,
  source: GitSource,
  fs: FileSystem,
  { scratch, name, signal }: { scratch: string; name: string; signal: AbortSignal | undefined },
): Promise<Outcome<string[]>> {
  const { subdirectory } = RECIPES[fs];
  if (!build) throw new Error(`${spec} has no sources`);
  const place = join(scratch, name);
  await mkdir(join(place, 'b', subdirectory), { recursive: true });
  await mkdir(join(place, 'notes'));
  await cp(join(build.source, subdirectory), join(place, 'a', subdirectory), { recursive: true });
  const notes = join(place, 'notes');
  const to = join(place, 'b', subdirectory);
  const exported = await source.exportPart(subdirectory, to, notes, signal);
  if (!exported.ok) return exported;
  const file = join(scratch, `${name}.patch`);
  const ran = await runTool(['git', ...DIFF, `--output=${file}`, 'a', 'b'], {
    cwd: place,
    env: { LC_ALL: 'C', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    ...(signal ? { signal } : {}),
  });
  // 1 says that they differ: diff(1).
  const checked = ran.exitCode === 1 ? success(ran) : checkTool('git', ran, CANNOT);
  if (!checked.ok) return checked;
  return success((await stat(file)).size > 0 ? [file] : []);
}

const DIFF = [
  ...['diff', '--no-index', '--no-prefix', '--no-renames', '--no-color', '--no-ext-diff'],
  ...['--no-textconv', '--binary'],
];
const CANNOT = { cannot: 'Cannot compare the sources of a file system' };
