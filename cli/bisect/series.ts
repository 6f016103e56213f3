import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { isBuiltAlone } from '../kernel/tree-parts.js';
import { type Outcome, success } from '../outcome.js';
import { pathsOf } from '../variant/patch.js';
import { readSteps } from '../variant/patched-source.js';
import type { Variant } from '../variant/variant.js';
import type { Change } from './plan.js';

/** A series of patches as a history: the unpatched kernel, then with one patch, with two, and so on. */

/** @param series the variant with all patches */
export async function seriesChanges(
  series: Variant,
  fs: FileSystem,
  context: KernelContext,
): Promise<Outcome<{ changes: Change[]; content: string; variants: Variant[] }>> {
  const steps = await readSteps(series, context);
  if (!steps.ok) return steps;
  const { subdirectory } = RECIPES[fs];
  const changes: Change[] = [];
  const variants: Variant[] = [];
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  const base = 'as it is';
  let content = base;
  try {
    for (const [at, step] of steps.value.entries()) {
      const paths =
        step.type === 'patch' ? await pathsOf(step, scratch, context.signal) : undefined;
      if (paths && !paths.ok) return paths;
      // The modules of other file systems are not loaded.
      const matters =
        paths?.value.some((path) => !isBuiltAlone(path) || path.startsWith(`${subdirectory}/`)) ??
        true;
      if (matters) content = `${at + 1} patches`;
      const id = `${at + 1}/${steps.value.length}`;
      changes.push({ id, title: step.name, parents: [at - 1], content });
      variants.push({ ...series, name: `${id} ${step.name}`, steps: at + 1 });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return success({ changes, content: base, variants });
}
