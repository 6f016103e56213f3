import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { depmod } from './depmod.js';
import type { Kernel, KernelContext } from './kernel.js';
import { uncompressModule } from './module-file.js';
import { moduleName, readModuleIndex, selectModules } from './module-index.js';

const contentsSchema = z.object({ builtIn: z.array(z.string()), absent: z.array(z.string()) });

/** Modules for a guest's image. */
export interface ModuleTree {
  /** Holds lib/modules/<release>, with what depmod makes. */
  directory: string;
  /** Of those wanted, the names of what the kernel has in its image. */
  builtIn: string[];
  /** Of those wanted, the names of what the kernel does not have. */
  absent: string[];
}

/**
 * The wanted modules with all that they need, uncompressed: the guest's programs need not know the
 * compression then, and its image is compressed as a whole.
 */
export async function moduleTree(
  kernel: Kernel,
  wanted: readonly string[],
  { store, signal }: KernelContext,
): Promise<Outcome<ModuleTree>> {
  const names = [...new Set(wanted.map(moduleName))].sort();
  const key = cacheKey({ kernel: kernel.id, release: kernel.release, wanted: names.join(' ') });
  const entry = await lookUpOrMake(store, 'module-tree', key, async (directory) => {
    const target = join(directory, 'lib/modules', kernel.release);
    await mkdir(target, { recursive: true });
    const source = kernel.modules;
    const index = await readModuleIndex(source ?? target);
    const { modules, builtIn, absent } = selectModules(index, names);
    for (const name of modules) {
      const path = index.paths.get(name) ?? '';
      const plain = join(target, path.replace(/\.(xz|zst|gz)$/, ''));
      await mkdir(dirname(plain), { recursive: true });
      const uncompressed = await uncompressModule(join(source ?? '', path), plain, signal);
      if (!uncompressed.ok) return uncompressed;
    }
    for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
      await cp(join(source ?? '', name), join(target, name)).catch(ignoreMissing);
    }
    await writeFile(join(directory, CONTENTS), JSON.stringify({ builtIn, absent }));
    return depmod(directory, kernel.release, signal);
  });
  if (!entry.ok) return entry;
  const text = await readFile(join(entry.value, CONTENTS), 'utf8');
  return success({ directory: entry.value, ...contentsSchema.parse(JSON.parse(text)) });
}

const CONTENTS = 'contents.json';

function ignoreMissing(error: NodeJS.ErrnoException) {
  if (error.code !== 'ENOENT') throw error;
}
