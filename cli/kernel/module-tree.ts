import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { cacheKey, discard, lookUpOrMake } from '../store/store.js';
import { readConfiguration } from './configuration.js';
import { depmod } from './depmod.js';
import type { Kernel, KernelContext, ModuleTree } from './kernel.js';
import { uncompressModule } from './module-file.js';
import { moduleName, readModuleIndex, selectModules } from './module-index.js';
import { addWitness, canBeRetried, witnessIdentity } from './witness.js';

const contentsSchema = z.object({
  builtIn: z.array(z.string()),
  absent: z.array(z.string()),
  witness: z.object({ missing: z.string().optional(), wantsCompiler: z.boolean().optional() }),
});

/**
 * The wanted modules with all their dependencies, uncompressed: the guest then needs no program to
 * uncompress them, and its image is compressed as a whole. The kernel's configuration is with them,
 * as build/.config: xfstests looks for it there, and skips all quota tests without it.
 */
export async function moduleTree(
  kernel: Kernel,
  wanted: readonly string[],
  context: KernelContext,
): Promise<Outcome<ModuleTree>> {
  if (kernel.tree) return success(kernel.tree);
  const { store, signal } = context;
  const names = [...new Set(wanted.map(moduleName))].sort();
  const configuration = await readConfiguration(kernel);
  const key = cacheKey({
    kernel: kernel.id,
    configuration: cacheKey({ text: configuration ?? '' }),
    release: kernel.release,
    wanted: names.join(' '),
    witness: await witnessIdentity(),
  });
  const make = async (directory: string): Promise<Outcome<unknown>> => {
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
    if (configuration !== undefined) {
      await mkdir(join(target, 'build'));
      await writeFile(join(target, 'build/.config'), configuration);
    }
    const witness = await addWitness(kernel, target, context);
    if (!witness.ok) return witness;
    const contents = { builtIn, absent, witness: witness.value };
    await writeFile(join(directory, CONTENTS), JSON.stringify(contents));
    return depmod(directory, kernel.release, signal);
  };
  for (;;) {
    const entry = await lookUpOrMake(store, 'module-tree', key, make);
    if (!entry.ok) return entry;
    const text = await readFile(join(entry.value, CONTENTS), 'utf8');
    const contents = contentsSchema.parse(JSON.parse(text));
    if (!(await canBeRetried(kernel, contents.witness))) {
      return success({ directory: entry.value, ...contents });
    }
    await discard(store, 'module-tree', key);
  }
}

const CONTENTS = 'contents.json';

function ignoreMissing(error: NodeJS.ErrnoException) {
  if (error.code !== 'ENOENT') throw error;
}
