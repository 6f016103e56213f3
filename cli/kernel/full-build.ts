import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool, type ToolResult } from '../process/child.js';
import { diskFull, tail } from '../process/tool.js';
import { z } from '../schema.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { temporaryPlace, useWorkspace } from '../store/workspace.js';
import { type Compiler, namedCompiler } from '../system/compiler.js';
import { ensureSystem } from '../system/install.js';
import { findProgram } from '../system/programs.js';
import { collectResults } from './build-results.js';
import { withoutDax } from './dax-code.js';
import {
  formatSettings,
  lostSettings,
  mergeSettings,
  ownSettings,
  readFragments,
  type Setting,
} from './fragments.js';
import { explainSymbol } from './kconfig.js';
import type { BuildOptions, Kernel, KernelContext } from './kernel.js';
import { prepareSource, type SourceChange } from './kernel-workspace.js';
import { estimateBuild, rememberBuild } from './pace.js';
import type { SourceTree } from './source-tree.js';
import { diagnose, type Quirks, quirksOf } from './toolchain.js';

/**
 * Builds a whole kernel from a source tree, with our configuration and optional changes. The build
 * runs outside the tree, in a workspace that stays (kernel-workspace.ts), so that the next variant
 * compiles only what differs. The result is a cache entry, keyed by the sources, the changes, the
 * configuration, the compiler and the flags.
 */

/** Raise it with every change to how a kernel is built. */
const RECIPE = 1;

const recordSchema = z.object({
  release: z.string(),
  compiler: z.string(),
  seconds: z.number(),
  /** Optional settings that this tree does not have. */
  without: z.array(z.string()),
  /** File systems whose code has no DAX. */
  lacksDax: z.array(z.string()),
});

type BuildRecord = z.infer<typeof recordSchema>;

export interface FullBuild {
  tree: SourceTree;
  options: BuildOptions;
  change?: SourceChange | undefined;
}

export async function buildKernel(
  { tree, options, change }: FullBuild,
  context: KernelContext,
): Promise<Outcome<Kernel>> {
  const { store, progress } = context;
  const installed = await ensureTools(['build'], context);
  if (!installed.ok) return installed;
  const compiler = await namedCompiler(options.cc ?? 'gcc');
  if (!compiler.ok) return compiler;
  const quirks = quirksOf(tree.version);
  const settings = await wantedSettings(options.kconfig ?? [], quirks);
  if (!settings.ok) return settings;
  const key = cacheKey({
    recipe: RECIPE,
    tree: tree.builtAs ?? tree.identity,
    change: change?.identity ?? 'none',
    settings: formatSettings(settings.value),
    compiler: compiler.value.identity,
    variables: JSON.stringify(quirks.variables),
  });
  const step: BuildStep = {
    tree,
    change,
    compiler: compiler.value,
    quirks,
    settings: settings.value,
    // Lets `uname -r` in the guest tell this build from all others of the same version.
    localVersion: `-dax${key.slice(0, 8)}`,
  };
  const entry = await lookUpOrMake(
    store,
    'kernel-build',
    key,
    async (directory) => {
      const tools = await ensureTools(['kernel-build'], context);
      if (!tools.ok) return tools;
      const place = cacheKey({ family: tree.family, compiler: compiler.value.identity });
      return useWorkspace(store, 'kernel-workspace', place, (workspace) =>
        buildIn(workspace, directory, step, context),
      );
    },
    {
      onWait: () =>
        progress({ type: 'note', text: `Another daxrepro is building ${nameOf(tree, change)}` }),
    },
  );
  return entry.ok ? success(await assemble(tree.spec, key, entry.value)) : entry;
}

/** Checks that can refuse a build before any work is done. */
export async function checkBuild({ cc, kconfig = [] }: BuildOptions): Promise<Outcome<undefined>> {
  const users = await readFragments(kconfig);
  if (!users.ok) return users;
  const merged = mergeSettings(await ownSettings(), users.value);
  if (!merged.ok) return merged;
  const compiler = cc === undefined ? undefined : await namedCompiler(cc);
  return compiler && !compiler.ok ? compiler : success(undefined);
}

function ensureTools(
  parts: Parameters<typeof ensureSystem>[0],
  { progress, signal, host }: KernelContext,
): Promise<Outcome<void>> {
  return ensureSystem(parts, {
    progress,
    ...(signal ? { signal } : {}),
    ...(host ? { host } : {}),
  });
}

async function wantedSettings(
  kconfig: readonly string[],
  quirks: Quirks,
): Promise<Outcome<Setting[]>> {
  const users = await readFragments(kconfig);
  if (!users.ok) return users;
  const own = (await ownSettings()).map((setting) =>
    quirks.noModules !== undefined && setting.symbol.startsWith('MODULE')
      ? { ...setting, value: 'n' }
      : setting,
  );
  return mergeSettings(own, users.value);
}

interface BuildStep {
  tree: SourceTree;
  change: SourceChange | undefined;
  compiler: Compiler;
  quirks: Quirks;
  settings: readonly Setting[];
  localVersion: string;
}

async function buildIn(
  workspace: string,
  directory: string,
  step: BuildStep,
  context: KernelContext,
): Promise<Outcome<unknown>> {
  const { tree, change, compiler, quirks } = step;
  const { progress, signal, store } = context;
  if (/[\s:]/.test(workspace)) {
    return failure(
      'storage',
      `make cannot build in ${workspace}: its path contains a blank or a colon`,
      'Set XDG_CACHE_HOME to a directory without them in its path',
    );
  }
  const build = join(workspace, 'build');
  const fresh = (await readdir(build).catch(() => [])).length === 0;
  await announce(step, fresh, context);
  const started = performance.now();
  const onExport = () =>
    progress({ type: 'stage', text: `Copying the sources of ${tree.spec} to the cache` });
  const source = await prepareSource(workspace, { tree, change }, onExport, signal);
  if (!source.ok) return source;
  await mkdir(build, { recursive: true });
  const temporary = await temporaryPlace(workspace);
  const log: string[] = [];
  const make: Make = async (targets, onLine) => {
    const argv = makeArgv({ source: source.value, build, temporary }, step, targets);
    const result = await runTool(argv, {
      ...(signal ? { signal } : {}),
      ...(onLine ? { onLine } : {}),
    });
    log.push(argv.join(' '), result.all);
    return result;
  };

  progress({ type: 'stage', text: `Configuring ${nameOf(tree, change)}` });
  const configured = await configure(build, source.value, step, make);
  if (!configured.ok) return configured;

  const counter = await countObjects(step, fresh, context);
  const { modules } = configured.value;
  const built = await makeKernel(make, { modules, directory, onLine: counter.onLine });
  if (!built.ok) return buildFailure(built, nameOf(tree, change), workspace, compiler);
  const release = await collectResults({ source: source.value, build, directory }, signal);
  if (!release.ok) return release;
  const seconds = (performance.now() - started) / 1000;
  const { without } = configured.value;
  const lacksDax = await withoutDax(source.value);
  const made = { compiler: compiler.path, seconds: Math.round(seconds), without, lacksDax };
  const record: BuildRecord = { release: release.value, ...made };
  await writeFile(join(directory, 'kernel.json'), `${JSON.stringify(record, null, 2)}\n`);
  await copyFile(join(build, '.config'), join(directory, 'config'));
  await writeFile(join(directory, 'build.log'), `${log.join('\n')}\n`);
  if (fresh) await rememberBuild(store, { objects: counter.objects, seconds });
  for (const note of quirks.notes) progress({ type: 'note', text: note });
  return success(undefined);
}

/** Counts compiled objects, for the progress. */
async function countObjects(
  { tree, change, compiler }: BuildStep,
  fresh: boolean,
  { progress, store }: KernelContext,
) {
  const what = `Building ${nameOf(tree, change)} with ${compiler.program}`;
  progress({ type: 'stage', text: what });
  const { objects: total } = await estimateBuild(store);
  const counter = {
    objects: 0,
    onLine: (line: string) => {
      if (!/^\s+(?:CC|AS|LD|AR)\b/.test(line)) return;
      counter.objects += 1;
      // No total if only changes are compiled, or if this build has more objects than the last one.
      const of = fresh && counter.objects <= total ? ` of about ${total}` : '';
      progress({ type: 'detail', text: `${what}: ${counter.objects}${of} objects` });
    },
  };
  return counter;
}

/** Builds the image and the modules, and installs the modules in a directory. */
async function makeKernel(
  make: Make,
  how: { modules: boolean; directory: string; onLine: (line: string) => void },
) {
  const targets = ['bzImage', ...(how.modules ? ['modules'] : [])];
  const built = await make(targets, how.onLine);
  if (!built.ok || !how.modules) return built;
  return make([
    `INSTALL_MOD_PATH=${how.directory}`,
    'INSTALL_MOD_STRIP=1',
    // daxrepro runs depmod once, later.
    'DEPMOD=true',
    'modules_install',
  ]);
}

/** Announces the expected duration. */
async function announce(
  { tree, change, compiler }: BuildStep,
  fresh: boolean,
  { store, progress }: KernelContext,
): Promise<void> {
  const { minutes, learned } = await estimateBuild(store);
  const cpus = availableParallelism();
  const time = fresh
    ? `about ${minutes} min on ${cpus === 1 ? '1 core' : `${cpus} cores`} (${learned ? 'as the last one here took' : 'a rule of thumb'}), and about 2 GB in ${store.root}`
    : 'only what differs from the previous build is compiled';
  const text = `A full build of kernel ${tree.version} (${nameOf(tree, change)}) with ${compiler.program}: ${time}`;
  progress({ type: 'note', text });
}

function nameOf({ spec }: SourceTree, change: SourceChange | undefined): string {
  return change ? `${spec} with ${change.name}` : spec;
}

/** make, in a clean environment: see build.ts. */
function makeArgv(
  { source, build, temporary }: { source: string; build: string; temporary: string },
  { compiler, quirks, localVersion }: BuildStep,
  targets: readonly string[],
): [string, ...string[]] {
  const names = ['PATH', 'HOME', 'CCACHE_DIR'];
  const environment = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const ccache = findProgram('ccache') === undefined ? '' : 'ccache ';
  return [
    'env',
    '-i',
    ...environment,
    `TMPDIR=${temporary}`,
    'LC_ALL=C.UTF-8',
    // The same sources make the same image, whoever builds them and when.
    'KBUILD_BUILD_TIMESTAMP=2016-02-09 00:00:00 UTC',
    'KBUILD_BUILD_USER=daxrepro',
    'KBUILD_BUILD_HOST=daxrepro',
    'KBUILD_BUILD_VERSION=1',
    `KCONFIG_ALLCONFIG=${join(build, 'fragments.config')}`,
    'make',
    `--jobs=${availableParallelism()}`,
    '-C',
    source,
    `O=${build}`,
    'ARCH=x86',
    `CC=${ccache}${compiler.path}`,
    `LOCALVERSION=${localVersion}`,
    ...Object.entries(quirks.variables).map(([name, value]) => `${name}=${value}`),
    ...targets,
  ];
}

type Make = (targets: readonly string[], onLine?: (line: string) => void) => Promise<ToolResult>;

interface Configuration {
  modules: boolean;
  /** Optional settings that this tree does not have. */
  without: string[];
}

/**
 * Turns off everything that the fragments do not ask for (`allnoconfig` with KCONFIG_ALLCONFIG),
 * adds what their settings imply (`olddefconfig`), then checks that none of them was lost.
 */
async function configure(
  build: string,
  source: string,
  { tree, settings, compiler }: BuildStep,
  make: Make,
): Promise<Outcome<Configuration>> {
  await writeFile(join(build, 'fragments.config'), formatSettings(settings));
  for (const target of ['allnoconfig', 'olddefconfig']) {
    const made = await make([target]);
    if (!made.ok) return buildFailure(made, tree.spec, build, compiler);
  }
  const configuration = await readFile(join(build, '.config'), 'utf8');
  const { required, optional } = lostSettings(configuration, settings);
  const lost = required[0];
  if (!lost) {
    return success({
      modules: /^CONFIG_MODULES=y$/m.test(configuration),
      without: optional.map(({ symbol }) => symbol),
    });
  }
  // The requested settings explain more than those they imply.
  const reasons: string[] = [];
  for (const { symbol, value } of required) {
    reasons.push(
      `CONFIG_${symbol}=${value}: ${await explainSymbol(source, symbol, configuration)}`,
    );
  }
  const own = lost.place.file.startsWith('kernels/fragments/');
  const names = required.map(({ symbol }) => `CONFIG_${symbol}`).join(', ');
  return failure(
    own ? 'build-failed' : 'usage',
    `The configuration of ${tree.spec} (${tree.version}) lost ${names}, which ${required.length === 1 ? 'was' : 'were'} requested`,
    own
      ? 'See what it depends on, and add that with --kconfig FILE; or use another kernel version'
      : 'Add what it depends on to the fragment, or remove it',
    { place: lost.place, detail: reasons.join('\n') },
  );
}

function buildFailure(
  result: ToolResult,
  what: string,
  workspace: string,
  compiler: Compiler,
): ReturnType<typeof failure> {
  if (result.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  const log = result.all.replaceAll(`${workspace}/`, '');
  const full = diskFull(log, `Cannot build ${what}`);
  if (full) return full;
  const known = diagnose(log);
  return failure(
    known?.missing ? 'program-missing' : 'build-failed',
    `${what} does not build with ${compiler.program}`,
    known?.remedy ??
      "The compiler's messages are above. If it is newer or older than the tree expects, choose another one with --cc",
    { detail: firstErrors(log) },
  );
}

/**
 * Several compilers run at once, so the error need not be at the end: takes the lines around the
 * first ones.
 */
function firstErrors(log: string): string {
  const lines = log.trimEnd().split('\n');
  const first = lines.findIndex((line) =>
    /\berror:|\bundefined reference\b|\*\*\* |: not found$|No rule to make/.test(line),
  );
  return first < 0 ? tail(log) : lines.slice(Math.max(0, first - 4), first + 36).join('\n');
}

async function assemble(spec: string, key: string, directory: string): Promise<Kernel> {
  const record = recordSchema.parse(
    JSON.parse(await readFile(join(directory, 'kernel.json'), 'utf8')),
  );
  const { release, compiler, lacksDax } = record;
  const image = join(directory, 'boot', `vmlinuz-${release}`);
  const vmlinux = join(directory, 'vmlinux');
  const direct = (await readdir(directory)).includes('vmlinux');
  const symbols = join(directory, 'symbols/vmlinux');
  return {
    spec,
    release,
    id: cacheKey({ build: key }),
    image,
    bootImage: direct ? vmlinux : image,
    modules: join(directory, 'lib/modules', release),
    ...(existsSync(symbols) ? { symbols } : {}),
    build: {
      headers: join(directory, 'headers'),
      source: join(directory, 'source'),
      compiler,
    },
    lacksDax,
  };
}
