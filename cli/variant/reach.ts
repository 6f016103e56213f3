import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import { isBuiltIn } from '../kernel/file-system-module.js';
import { isBuiltFromSource, type Kernel, type KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { isBuiltAlone } from '../kernel/tree-parts.js';
import { type Outcome, success } from '../outcome.js';
import { pathsOf } from './patch.js';
import { changedSubdirectories, patchedSource, readSteps } from './patched-source.js';
import type { Variant } from './variant.js';

/** Decides how much of a kernel to build for a variant: a module, or all of it. */

/**
 * The changed files that do not belong to a module. Semantic patches are applied only to the file
 * systems, so they never change others.
 */
export async function pathsOutside(
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<string[]>> {
  if (variant.changes.length === 0) return success([]);
  const steps = await readSteps(variant, context);
  if (!steps.ok) return steps;
  const outside = new Set<string>();
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  try {
    for (const step of steps.value) {
      if (step.type !== 'patch') continue;
      const paths = await pathsOf(step, scratch, context.signal);
      if (!paths.ok) return paths;
      for (const path of paths.value) if (!isBuiltAlone(path)) outside.add(path);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return success([...outside]);
}

export interface FullBuildNeed {
  /** The kernel to build: `debsrc:6.1` for `debian:6.1`. */
  spec: string;
  /** Announced to the user before the build. */
  why: string;
}

/**
 * The kernel to build as a whole, because the variant changes more than modules; undefined if
 * modules are enough. For a packaged kernel this is its source with our configuration: with
 * Debian's it would take hours.
 */
export async function fullBuildSpec(
  spec: string,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<FullBuildNeed | undefined>> {
  // Other kernels have no sources to change. That is reported when the sources are needed.
  if (!isBuiltFromSource(spec) && !spec.startsWith('debian:')) return success(undefined);
  const outside = await pathsOutside(variant, context);
  if (!outside.ok) return outside;
  if (outside.value.length === 0) return success(undefined);
  const changes = `${variant.name} changes ${someOf(outside.value)}, which needs a full build`;
  if (isBuiltFromSource(spec)) return success({ spec, why: changes });
  const source = spec.replace(/^debian:/, 'debsrc:');
  const why = `${changes}: of ${source}, with daxrepro's configuration, because Debian's takes hours to build`;
  return success({ spec: source, why });
}

/** Whether a variant changes a file system that is built into this kernel. */
export async function changesBuiltIn(
  kernel: Kernel,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<boolean>> {
  if (variant.changes.length === 0) return success(false);
  const builtIn: FileSystem[] = [];
  for (const fs of Object.keys(RECIPES) as FileSystem[]) {
    if (await isBuiltIn(kernel, fs)) builtIn.push(fs);
  }
  if (builtIn.length === 0) return success(false);
  const source = await patchedSource(kernel, variant, context);
  if (!source.ok) return source;
  const changed = changedSubdirectories(source.value);
  return success(builtIn.some((fs) => changed.includes(RECIPES[fs].subdirectory)));
}

export function someOf(paths: readonly string[]): string {
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return `${paths.slice(0, 3).join(', ')}${more}`;
}
