import { realpath } from 'node:fs/promises';
import type { GitSource } from '../kernel/git-source.js';
import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { parseSpec } from '../kernel/spec.js';
import { checkBase } from '../kernel/tree-base.js';
import { type Outcome, success } from '../outcome.js';

/** Decides which kernel the commits of a tree run on. */

/** Whether `--kernel` names the tree itself, which is the default. */
export async function isTreeItself(
  kernel: string | undefined,
  directory: string,
): Promise<boolean> {
  if (kernel === undefined) return true;
  const spec = await parseSpec(kernel);
  if (!spec.ok || spec.value.type !== 'src' || spec.value.revision !== undefined) return false;
  const same = async (path: string) => realpath(path).catch(() => path);
  return (await same(spec.value.directory)) === (await same(directory));
}

/** The kernel of `--kernel`, after a check that modules of this tree fit it. */
export async function baseKernel(
  source: GitSource,
  spec: string,
  build: BuildOptions,
  context: KernelContext,
): Promise<Outcome<Kernel>> {
  const fitting = await checkBase(source, spec, context);
  if (!fitting.ok) return fitting;
  const kernel = await resolveKernel(spec, context, build);
  return kernel.ok ? success(kernel.value) : kernel;
}
