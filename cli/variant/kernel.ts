import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BuildOptions,
  isBuiltFromSource,
  type Kernel,
  type KernelContext,
} from '../kernel/kernel.js';
import type { SourceChange } from '../kernel/kernel-workspace.js';
import { RECIPES } from '../kernel/recipes.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type Outcome, success } from '../outcome.js';
import { pathsOf } from './patch.js';
import { applySteps, changeIdentity, readSteps } from './patched-source.js';
import { changesBuiltIn, fullBuildSpec } from './reach.js';
import type { Variant } from './variant.js';

/** The kernel that a variant runs on. */
export interface VariantKernel {
  kernel: Kernel;
  /** Whether the kernel contains the variant's changes, because it was built for them. */
  changed: boolean;
}

/** @param base the kernel without changes, if the caller has it. It is made only if needed */
export async function variantKernel(
  spec: string,
  variant: Variant,
  options: BuildOptions,
  context: KernelContext,
  base?: Kernel,
): Promise<Outcome<VariantKernel>> {
  const full = await fullBuildSpec(spec, variant, context);
  if (!full.ok) return full;
  if (full.value) {
    if (full.value.spec !== spec) context.progress({ type: 'note', text: full.value.why });
    return builtWhole(full.value.spec, variant, options, context);
  }
  const kernel = base ? success(base) : await resolveKernel(spec, context, options);
  if (!kernel.ok) return kernel;
  if (isBuiltFromSource(spec)) {
    const builtIn = await changesBuiltIn(kernel.value, variant, context);
    if (!builtIn.ok) return builtIn;
    if (builtIn.value) return builtWhole(spec, variant, options, context);
  }
  return success({ kernel: kernel.value, changed: false });
}

async function builtWhole(
  spec: string,
  variant: Variant,
  options: BuildOptions,
  context: KernelContext,
): Promise<Outcome<VariantKernel>> {
  const change = await sourceChange(variant, context);
  if (!change.ok) return change;
  const kernel = await resolveKernel(spec, context, { ...options, change: change.value });
  return kernel.ok ? success({ kernel: kernel.value, changed: true }) : kernel;
}

/** A variant's changes, in the form that a full build takes. */
async function sourceChange(
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<SourceChange>> {
  const { signal } = context;
  const steps = await readSteps(variant, context);
  if (!steps.ok) return steps;
  const identity = await changeIdentity(variant);
  if (!identity.ok) return identity;
  return success({
    name: variant.name,
    identity: identity.value,
    apply: async (source, scratch, release) => {
      const tree = join(scratch, 'tree');
      await mkdir(tree);
      const touched = new Set<string>();
      for (const step of steps.value) {
        if (step.type === 'semantic') {
          for (const { subdirectory } of Object.values(RECIPES)) touched.add(subdirectory);
          continue;
        }
        const paths = await pathsOf(step, scratch, signal);
        if (!paths.ok) return paths;
        for (const path of paths.value) touched.add(path);
      }
      for (const path of touched) {
        const file = join(source, path);
        if (!existsSync(file)) continue;
        await mkdir(dirname(join(tree, path)), { recursive: true });
        await cp(file, join(tree, path), { recursive: true });
      }
      const changed = await applySteps(steps.value, { tree, scratch, release, signal });
      return changed.ok ? success({ directory: tree, paths: [...changed.value].sort() }) : changed;
    },
  });
}
