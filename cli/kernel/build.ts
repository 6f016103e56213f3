import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { diskFull, tail } from '../process/tool.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { temporaryPlace, useWorkspace } from '../store/workspace.js';
import { type Compiler, findCompiler } from '../system/compiler.js';
import { configured } from './configuration.js';
import type { Kernel, KernelBuild, KernelContext } from './kernel.js';
import { readModuleFacts } from './module-file.js';
import type { ModuleRecipe } from './recipes.js';

/**
 * Builds one file system as a module against a packaged kernel's headers.
 *
 * The workspace stays: make compares the times of files, so a later build compiles only what
 * changed. The result is a cache entry, keyed by the sources, the headers, the compiler and the
 * flags.
 */

export interface ModuleBuild {
  kernel: Kernel;
  recipe: ModuleRecipe;
  /** A directory like `fs/ext2` to build instead of the kernel's own sources. */
  source?: string;
}

/** The module's file and what it was compiled with. */
export interface BuiltModule {
  directory: string;
  /** <directory>/<name>.ko */
  file: string;
}

export async function buildModule(
  { kernel, recipe, source }: ModuleBuild,
  context: KernelContext,
): Promise<Outcome<BuiltModule>> {
  const { build } = kernel;
  if (!build) {
    return failure(
      'usage',
      `There are no headers and sources to build modules for ${kernel.spec}`,
      'Use a packaged kernel, --kernel debian:6.1',
    );
  }
  const compiler = await findCompiler(build.compiler);
  if (!compiler) {
    return failure(
      'program-missing',
      `This machine has no C compiler to build ${recipe.name} with`,
      `Install ${build.compiler} (\`daxrepro setup\` does)`,
    );
  }
  const sourceDirectory = source ?? join(build.source, recipe.subdirectory);
  const sources = await readSources(sourceDirectory);
  const setting = {
    headers: await headersIdentity(build),
    compiler: compiler.identity,
    options: JSON.stringify(recipe),
  };
  const key = cacheKey({ ...setting, sources: identityOf(sources) });
  const entry = await lookUpOrMake(context.store, 'module', key, async (directory) => {
    return useWorkspace(context.store, 'module-workspace', cacheKey(setting), (workspace) =>
      buildIn(workspace, { kernel, build, recipe, compiler, sources, directory }, context),
    );
  });
  if (!entry.ok) return entry;
  return success({ directory: entry.value, file: join(entry.value, `${recipe.name}.ko`) });
}

interface BuildStep {
  kernel: Kernel;
  build: KernelBuild;
  recipe: ModuleRecipe;
  compiler: Compiler;
  sources: Map<string, Buffer>;
  /** Where the results go. */
  directory: string;
}

async function buildIn(
  workspace: string,
  { kernel, build, recipe, compiler, sources, directory }: BuildStep,
  { progress, signal }: KernelContext,
): Promise<Outcome<unknown>> {
  if (/[\s:]/.test(workspace) || /[\s:]/.test(build.headers)) {
    return failure(
      'storage',
      `make cannot build in ${workspace}: its path contains a blank or a colon`,
      'Set XDG_CACHE_HOME to a directory without them in its path',
    );
  }
  const tree = join(workspace, recipe.subdirectory);
  await putSources(tree, sources);
  const temporary = await temporaryPlace(workspace);
  const argv = makeArgv({ build, recipe, compiler }, workspace, temporary);
  const what = `Building ${recipe.name} for ${kernel.release} with ${compiler.program}`;
  progress({ type: 'stage', text: what });
  const total = [...sources.keys()].filter((name) => name.endsWith('.c')).length;
  let compiled = 0;
  const result = await runTool(argv, {
    ...(signal ? { signal } : {}),
    onLine: (line) => {
      if (!/^\s+CC\b/.test(line)) return;
      compiled += 1;
      progress({ type: 'detail', text: `${what}: ${Math.min(compiled, total)} of ${total} files` });
    },
  });
  if (result.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  const log = result.all.replaceAll(`${workspace}/`, '');
  if (!result.ok) {
    const full = diskFull(log, `Cannot build ${recipe.name}`);
    if (full) return full;
    return failure(
      'build-failed',
      `${recipe.name} does not build for ${kernel.release} with ${compiler.program}`,
      remedyFor(log, build, kernel.spec),
      { detail: tail(log) },
    );
  }
  const module = join(directory, `${recipe.name}.ko`);
  await copyFile(join(tree, `${recipe.name}.ko`), module);
  await writeFile(join(directory, 'build.log'), `${argv.join(' ')}\n${log}\n`);
  const facts = await readModuleFacts(module);
  if (!facts.ok) return facts;
  if (facts.value.vermagic.split(' ')[0] !== kernel.release) {
    return failure(
      'build-failed',
      `${recipe.name} was built for ${facts.value.vermagic}, not for ${kernel.release}`,
      'Fetch the kernel again: `daxrepro kernel build --refresh`',
      { detail: tail(log) },
    );
  }
  const record = { ...facts.value, compiler: compiler.program };
  await writeFile(join(directory, 'module.json'), `${JSON.stringify(record, null, 2)}\n`);
  return success(undefined);
}

/**
 * make as documented for external modules (Documentation/kbuild/modules.rst). It gets a clean
 * environment: variables that a kernel developer has exported (ARCH, LLVM, KCFLAGS …) are not meant
 * for us.
 */
function makeArgv(
  { build, recipe, compiler }: Pick<BuildStep, 'build' | 'recipe' | 'compiler'>,
  workspace: string,
  temporary: string,
): [string, ...string[]] {
  const tree = join(workspace, recipe.subdirectory);
  const options = Object.entries(recipe.options);
  // A compiler that came with the headers has its assembler and linker beside it.
  const beside = isAbsolute(build.compiler) ? `${dirname(build.compiler)}:` : '';
  const path = `${beside}${process.env['PATH'] ?? ''}`;
  const home = process.env['HOME'];
  const environment = [`PATH=${path}`, ...(home === undefined ? [] : [`HOME=${home}`])];
  const flags = [
    ...options.map(([name, value]) => `-DCONFIG_${name}${value === 'm' ? '_MODULE' : ''}=1`),
    ...recipe.includes.map((path) => `-I${join(tree, path)}`),
    // So that the kernel's messages name files as its own tree does, whatever our paths.
    `-ffile-prefix-map=${workspace}/=`,
  ];
  return [
    'env',
    '-i',
    ...environment,
    `TMPDIR=${temporary}`,
    'LC_ALL=C.UTF-8',
    'make',
    `--jobs=${availableParallelism()}`,
    '-C',
    build.headers,
    `M=${tree}`,
    `CC=${isAbsolute(build.compiler) ? compiler.path : compiler.program}`,
    // It would need pahole and vmlinux to make type information that nobody reads.
    'CONFIG_DEBUG_INFO_BTF_MODULES=',
    // A twentieth of the size.
    'CONFIG_DEBUG_INFO=',
    ...options.map(([name, value]) => `CONFIG_${name}=${value}`),
    `KCFLAGS=${flags.join(' ')}`,
    'modules',
  ];
}

function remedyFor(log: string, build: KernelBuild, spec: string): string {
  const again = `\`daxrepro kernel build --kernel ${spec} --refresh\` fetches Debian's`;
  if (/GLIBC_[\d.]+' not found/.test(log)) {
    return `This kernel's build tools need a newer C library than this machine has: ${again}`;
  }
  if (/unrecognized command.line option/.test(log)) {
    return `The kernel was built with ${build.compiler}, which this machine lacks: ${again}`;
  }
  return "The compiler's message is above";
}

/** The files of a directory, by path below it, without what earlier builds left. */
async function readSources(directory: string): Promise<Map<string, Buffer>> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile() && isSource(file.name))
    .map((file) => join(file.parentPath, file.name))
    .sort();
  const sources = new Map<string, Buffer>();
  for (const path of paths) sources.set(path.slice(directory.length + 1), await readFile(path));
  return sources;
}

function isSource(name: string): boolean {
  return /(?<!\.mod)\.[chS]$/.test(name) || ['Makefile', 'Kbuild', 'Kconfig'].includes(name);
}

/** Makes `tree` hold exactly these sources. Unchanged files keep their times. */
async function putSources(tree: string, sources: Map<string, Buffer>): Promise<void> {
  const present = await readSources(tree).catch(() => new Map<string, Buffer>());
  for (const path of present.keys()) {
    if (!sources.has(path)) await rm(join(tree, path));
  }
  for (const [path, content] of sources) {
    if (present.get(path)?.equals(content)) continue;
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
}

function identityOf(sources: Map<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const [path, content] of sources) hash.update(`${path} ${content.length}\n`).update(content);
  return hash.digest('hex');
}

/** The configuration and the versions of all exported symbols identify the headers. */
async function headersIdentity(build: KernelBuild): Promise<string> {
  const hash = createHash('sha256').update(build.headers);
  for (const name of ['.config', 'Module.symvers']) {
    hash.update(await readFile(join(build.headers, name)));
  }
  return hash.digest('hex');
}

/** Whether this kernel has DAX at all: without CONFIG_FS_DAX no file system has it. */
export async function hasFsDax(build: KernelBuild): Promise<boolean> {
  return configured(await readFile(join(build.headers, '.config'), 'utf8'), 'FS_DAX') === 'y';
}
