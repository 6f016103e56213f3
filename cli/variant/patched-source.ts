import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { failure, type Outcome, success } from '../outcome.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { ensureSystem } from '../system/install.js';
import type { Part } from '../system/requirements.js';
import { type ChangeFile, isSemantic, readChangeFiles, type Step, stepsOf } from './changes.js';
import { applyPatch, type PatchTarget } from './patch.js';
import { applySemanticPatch, spatchIdentity } from './semantic-patch.js';
import type { Variant } from './variant.js';

/**
 * A kernel's sources with a variant's changes: a cache entry that holds complete copies of the
 * changed directories only. The changes are applied once for all file systems, and the result
 * becomes the entry only if all of them apply.
 */
export async function patchedSource(
  kernel: Kernel,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<string>> {
  const { build } = kernel;
  if (!build) {
    return failure(
      'usage',
      `There are no sources to change for ${kernel.spec}`,
      'Use a packaged kernel, --kernel debian:6.1, or one that is built: --kernel src:DIR',
    );
  }
  const { progress, signal } = context;
  const steps = await readSteps(variant, context);
  if (!steps.ok) return steps;
  const identity = await changeIdentity(variant);
  if (!identity.ok) return identity;
  const key = cacheKey({ kernel: kernel.id, source: build.source, changes: identity.value });
  return lookUpOrMake(context.store, 'patched-source', key, async (directory) => {
    progress({ type: 'stage', text: `Applying ${variant.name} to ${kernel.release}` });
    return applyAll(steps.value, build.source, directory, { release: kernel.release, signal });
  });
}

/** The module directories, `fs/ext2`, that a patched source holds. */
export function changedSubdirectories(patched: string): string[] {
  return SUBDIRECTORIES.filter((one) => existsSync(join(patched, one)));
}

const SUBDIRECTORIES = Object.values(RECIPES).map(({ subdirectory }) => subdirectory);

/** A variant's steps, if the programs that apply them are installed. */
export async function readSteps(
  variant: Variant,
  { progress, signal, host }: KernelContext,
): Promise<Outcome<Step[]>> {
  const files = await readChangeFiles(variant.changes);
  if (!files.ok) return files;
  const installed = await ensureSystem(partsOf(variant), {
    progress,
    ...(signal ? { signal } : {}),
    ...(host ? { host } : {}),
  });
  if (!installed.ok) return installed;
  const steps: Step[] = [];
  for (const file of files.value) {
    const read = await stepsOf(file, signal);
    if (!read.ok) return read;
    steps.push(...read.value);
  }
  return success(steps.slice(0, variant.steps));
}

/** Changes whenever the variant's effect on a source may change. */
export async function changeIdentity({ changes, steps }: Variant): Promise<Outcome<string>> {
  const files = await readChangeFiles(changes);
  if (!files.ok) return files;
  return success(
    cacheKey({
      changes: identityOf(files.value),
      steps: steps ?? 'all',
      spatch: changes.some(isSemantic) ? await spatchIdentity() : 'unused',
    }),
  );
}

/** The system packages that a variant's changes need. */
export function partsOf({ changes }: Variant): Part[] {
  const parts: Part[] = [];
  if (changes.some(isSemantic)) parts.push('semantic-patches');
  if (!changes.every(isSemantic)) parts.push('patches');
  return parts;
}

async function applyAll(
  steps: readonly Step[],
  source: string,
  directory: string,
  { release, signal }: Pick<PatchTarget, 'release' | 'signal'>,
): Promise<Outcome<unknown>> {
  const scratch = join(directory, 'scratch');
  const tree = join(scratch, 'tree');
  for (const name of SUBDIRECTORIES.filter((one) => existsSync(join(source, one)))) {
    await cp(join(source, name), join(tree, name), { recursive: true });
  }
  const changed = await applySteps(steps, { tree, scratch, release, signal });
  if (!changed.ok) return changed;
  for (const name of SUBDIRECTORIES) {
    if (![...changed.value].some((path) => path.startsWith(`${name}/`))) continue;
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await rename(join(tree, name), join(directory, name));
  }
  await rm(scratch, { recursive: true });
  return success(undefined);
}

/** Applies steps to a copy of the sources. @returns the changed paths */
export async function applySteps(
  steps: readonly Step[],
  target: PatchTarget,
): Promise<Outcome<Set<string>>> {
  const changed = new Set<string>();
  for (const step of steps) {
    const applied = await (step.type === 'patch'
      ? applyPatch(step, target)
      : applySemanticPatch(step, target));
    if (!applied.ok) return applied;
    for (const path of applied.value) changed.add(path);
    const links = await symbolicLinks(target.tree, applied.value);
    if (links.length > 0) {
      return failure(
        'change-rejected',
        `${step.name} creates symbolic links: ${links.join(', ')}`,
        'Remove them: no module is built from them',
        { place: { file: step.file } },
      );
    }
  }
  if (changed.size > 0) return success(changed);
  return failure(
    'change-rejected',
    'These changes do not affect any file that a kernel is built from',
    'Run the kernel without them',
  );
}

/** A later step would write through them, to wherever they lead. */
async function symbolicLinks(tree: string, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const status = await lstat(join(tree, path)).catch(() => undefined);
    if (status?.isSymbolicLink()) found.push(path);
  }
  return found;
}

/** Of the names, only the kind of change that they tell counts. */
function identityOf(files: readonly ChangeFile[]): string {
  const hash = createHash('sha256');
  for (const { file, content } of files) {
    hash.update(`${isSemantic(file) ? 'semantic' : 'patch'} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
