import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Outcome, success } from '../outcome.js';
import { findCompiler } from '../system/compiler.js';
import { packageRoot } from '../version.js';
import { buildModule } from './build.js';
import { configured } from './configuration.js';
import type { Kernel, KernelContext, WitnessState } from './kernel.js';
import type { ModuleRecipe } from './recipes.js';

/**
 * The kernel module (kernels/witness) that sees which inodes are still dirty when a file system is
 * unmounted and, for power cuts, what sync calls promised. A guest gets it if it can be built for
 * its kernel. If not, that is reported but is no failure: only verdicts on power cuts need it.
 */
const SOURCES = new URL('kernels/witness/', packageRoot);

/** Its name for modprobe. */
export const WITNESS = 'daxrepro_witness';

const RECIPE: ModuleRecipe = { name: WITNESS, subdirectory: 'witness', options: {}, includes: [] };

/** Changes with the module's sources. */
export async function witnessIdentity(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(SOURCES)).sort()) {
    hash.update(`${name}\n`).update(await readFile(new URL(name, SOURCES)));
  }
  return hash.digest('hex');
}

/** Builds it into a tree of modules, if possible. */
export async function addWitness(
  kernel: Kernel,
  directory: string,
  context: KernelContext,
): Promise<Outcome<WitnessState>> {
  const { build } = kernel;
  if (!build)
    return success({ missing: `there are no headers of ${kernel.spec} to build it with` });
  const configuration = await readFile(join(build.headers, '.config'), 'utf8');
  for (const symbol of ['MODULES', 'KPROBES', 'PROC_FS']) {
    if (configured(configuration, symbol) !== 'y') {
      return success({ missing: `this kernel has no CONFIG_${symbol}` });
    }
  }
  if (!(await findCompiler(build.compiler))) {
    return success({ missing: 'this machine has no C compiler', wantsCompiler: true });
  }
  const source = fileURLToPath(SOURCES).replace(/\/$/, '');
  const built = await buildModule({ kernel, recipe: RECIPE, source }, context);
  if (!built.ok) {
    const { kind, message } = built.failure;
    if (kind !== 'build-failed') return built;
    return success({ missing: message });
  }
  await mkdir(join(directory, 'extra'), { recursive: true });
  await copyFile(built.value.file, join(directory, 'extra', `${WITNESS}.ko`));
  return success({});
}

/** Whether it might be built now, after an earlier failure. */
export async function canBeRetried(kernel: Kernel, state: WitnessState): Promise<boolean> {
  if (!state.wantsCompiler || !kernel.build) return false;
  return (await findCompiler(kernel.build.compiler)) !== undefined;
}
