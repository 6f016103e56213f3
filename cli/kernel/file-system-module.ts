import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { buildModule, hasFsDax } from './build.js';
import type { Kernel, KernelContext } from './kernel.js';
import { readModuleFacts, uncompressModule } from './module-file.js';
import { readModulePaths } from './module-index.js';
import { RECIPES } from './recipes.js';

export type FileSystem = keyof typeof RECIPES;

/** The module that implements a file system. */
export interface FileSystemModule {
  name: string;
  /** An uncompressed .ko. */
  file: string;
  sha256: string;
  /** Its GNU build-id note, hexadecimal. */
  buildId: string;
  srcversion?: string;
  /** `packaged`: came with the kernel. `built`: we built it against the kernel. */
  origin: 'packaged' | 'built';
  /** Names of the modules it depends on. */
  dependencies: string[];
  /** The compiler, `gcc-12`, if we chose it. */
  compiler?: string;
}

const factsSchema = z.object({
  name: z.string(),
  sha256: z.string(),
  buildId: z.string(),
  srcversion: z.string().optional(),
  dependencies: z.array(z.string()),
  compiler: z.string().optional(),
});

/**
 * The module that implements this file system: the kernel's own, or one built from the kernel's
 * sources if it has none. undefined if it is built in, or if no module can be had.
 */
export async function fileSystemModule(
  kernel: Kernel,
  fs: FileSystem,
  context: KernelContext,
): Promise<Outcome<FileSystemModule | undefined>> {
  const packaged = await packagedModule(kernel, fs, context);
  if (!packaged.ok || packaged.value.module)
    return packaged.ok ? success(packaged.value.module) : packaged;
  if (packaged.value.builtIn || !kernel.build) return success(undefined);
  if (!(await hasFsDax(kernel.build))) {
    const text = `Kernel ${kernel.release} has no CONFIG_FS_DAX, so no file system supports DAX on it`;
    context.progress({ type: 'note', text });
  }
  return builtFileSystemModule(kernel, fs, undefined, context);
}

/**
 * The module built for this kernel, even if the kernel has one of its own.
 *
 * @param source a directory like `fs/ext2`; undefined: the kernel's own
 */
export async function builtFileSystemModule(
  kernel: Kernel,
  fs: FileSystem,
  source: string | undefined,
  context: KernelContext,
): Promise<Outcome<FileSystemModule>> {
  const build = { kernel, recipe: RECIPES[fs], ...(source === undefined ? {} : { source }) };
  const built = await buildModule(build, context);
  if (!built.ok) return built;
  return success(await describe(built.value.directory, fs, 'built'));
}

/** Whether this file system is built into the image, so that no module can replace it. */
export async function isBuiltIn(kernel: Kernel, fs: FileSystem): Promise<boolean> {
  return kernel.modules !== undefined && (await readModulePaths(kernel.modules)).builtIn.has(fs);
}

interface Packaged {
  module?: FileSystemModule;
  builtIn?: boolean;
}

async function packagedModule(
  kernel: Kernel,
  fs: FileSystem,
  { store, signal }: KernelContext,
): Promise<Outcome<Packaged>> {
  const { modules } = kernel;
  if (modules === undefined) return success({});
  const index = await readModulePaths(modules);
  const path = index.paths.get(fs);
  if (path === undefined) return success({ builtIn: index.builtIn.has(fs) });
  const key = cacheKey({ kernel: kernel.id, packaged: fs });
  const entry = await lookUpOrMake(store, 'module', key, async (directory) => {
    const file = join(directory, `${fs}.ko`);
    const plain = await uncompressModule(join(modules, path), file, signal);
    if (!plain.ok) return plain;
    const facts = await readModuleFacts(file);
    if (!facts.ok) return facts;
    await writeFile(join(directory, 'module.json'), `${JSON.stringify(facts.value, null, 2)}\n`);
    return facts;
  });
  return entry.ok ? success({ module: await describe(entry.value, fs, 'packaged') }) : entry;
}

async function describe(
  directory: string,
  name: string,
  origin: 'packaged' | 'built',
): Promise<FileSystemModule> {
  const facts = factsSchema.parse(
    JSON.parse(await readFile(join(directory, 'module.json'), 'utf8')),
  );
  const { srcversion, compiler, ...others } = facts;
  const file = join(directory, `${name}.ko`);
  return {
    ...others,
    ...(srcversion === undefined ? {} : { srcversion }),
    ...(compiler === undefined ? {} : { compiler }),
    file,
    origin,
  };
}
