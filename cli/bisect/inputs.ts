import { cp, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { GitSource } from '../kernel/git-source.js';
import type { Kernel } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { checkTool } from '../process/tool.js';

/**
 * A build of a tree, in terms that `run` knows: a kernel, and changes to it. A run of a bisection is
 * replayed from these, like any other run.
 */
export interface BuildInputs {
  /** `--kernel`. */
  kernel: string;
  /** Patch files, in order. */
  changes: readonly string[];
  steps?: number;
}

export interface BuiltTree {
  source: GitSource;
  /** The user's directory. */
  tree: string;
  /** undefined: the working tree, with uncommitted changes. */
  commit: string | undefined;
  /** The kernel that its modules run on; undefined if the tree was built as a whole kernel. */
  base: Kernel | undefined;
}

/** @param scratch an existing directory for the patch; the caller removes it */
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

/** The commit of these sources; undefined if the working tree differs from the commit. */
export async function commitOf(
  { git, tree }: GitSource,
  revision = 'HEAD',
): Promise<string | undefined> {
  const found = await git(['rev-parse', `${revision}^{commit}`, `${revision}:./`]);
  const [commit, standing] = found.stdout.split('\n');
  return found.ok && standing === tree ? commit : undefined;
}

/**
 * Makes the patch from the kernel's sources of a file system to the tree's. All other sources are the
 * same (see ../kernel/tree-base.ts).
 *
 * @returns the patch file; none if nothing differs
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
  // git diff exits with 1 if there are differences.
  const checked = ran.exitCode === 1 ? success(ran) : checkTool('git', ran, CANNOT);
  if (!checked.ok) return checked;
  return success((await stat(file)).size > 0 ? [file] : []);
}

const DIFF = [
  ...['diff', '--no-index', '--no-prefix', '--no-renames', '--no-color', '--no-ext-diff'],
  ...['--no-textconv', '--binary'],
];
const CANNOT = { cannot: 'Cannot compare the sources of a file system' };
