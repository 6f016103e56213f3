import { readCatalogue } from '../kernel/catalogue.js';
import { peekDebian } from '../kernel/debian.js';
import { fileSystemModule } from '../kernel/file-system-module.js';
import { isBuiltFromSource, type Kernel, type KernelContext } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { EXIT, exitCodeOf, formatFailure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { makeReporter } from '../report/reporter.js';
import { buildOptionsOf } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { defaultStore, type Store } from '../store/store.js';

/** `daxrepro kernel …` */

export interface KernelCommandContext {
  progress?: Progress;
  signal?: AbortSignal;
  store?: Store;
  print?: (text: string) => void;
  printError?: (text: string) => void;
}

/** `kernel list`: what `--kernel` takes, and what of it is in the cache. */
export async function kernelListCommand(
  { json = false }: { json?: boolean },
  context: KernelCommandContext = {},
): Promise<number> {
  const { store, done } = complete(context);
  const kernels = await Promise.all(
    (await readCatalogue()).map(async (kernel) => {
      const cached = await peekDebian(kernel, store);
      return {
        spec: `debian:${kernel.version}`,
        suites: [...new Set(kernel.releases.map(({ codename }) => codename))],
        release: cached?.release ?? null,
        version: cached?.version ?? null,
        lacksDax: kernel.lacksDax,
      };
    }),
  );
  if (json) return done(success(JSON.stringify({ schemaVersion: 1, kernels }, null, 2)));
  const rows = kernels.map(({ spec, suites, release, version, lacksDax }) => [
    spec,
    `Debian ${suites.join(', ')}`,
    [
      release === null ? 'fetched when it is used' : `${release} (${version}) in the cache`,
      ...(lacksDax.length === 0 ? [] : [`no DAX in ${lacksDax.join(', ')}`]),
    ].join('; '),
  ]);
  const versions = kernels.map(({ spec }) => spec.replace('debian:', ''));
  rows.push(
    ['debsrc:X.Y', "Debian's sources", `of ${versions.join(', ')}, built with our configuration`],
    [
      'src:DIR[@REV]',
      'your own',
      'a kernel tree, as it stands or at a revision, built the same way',
    ],
    ['image:BZIMAGE[,MODULES-DIR]', 'your own', 'an image and what is like its /lib/modules/*'],
    ['host', 'this machine', 'the kernel that runs here'],
  );
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map(
    ([spec = '', origin = '', text]) =>
      `${spec.padEnd(width(0))}  ${origin.padEnd(width(1))}  ${text}`,
  );
  return done(success(lines.join('\n')));
}

type KernelCommandOptions = Pick<RunOptions, 'cc' | 'kconfig'>;

export interface KernelBuildOptions extends KernelCommandOptions {
  refresh?: boolean;
  json?: boolean;
}

/** `kernel path SPEC`: the image's path and nothing else, fetched where it has to be. */
export async function kernelPathCommand(
  spec: string,
  options: KernelCommandOptions = {},
  context: KernelCommandContext = {},
): Promise<number> {
  const { kernelContext, done } = complete(context);
  const kernel = await resolveKernel(spec, kernelContext, buildOptionsOf(options));
  return done(kernel.ok ? success(kernel.value.image) : kernel);
}

/** `kernel build SPEC`: makes everything that a run would need of this kernel. */
export async function kernelBuildCommand(
  spec: string,
  { refresh = false, json = false, ...options }: KernelBuildOptions,
  context: KernelCommandContext = {},
): Promise<number> {
  const { kernelContext, done } = complete(context);
  const kernel = await resolveKernel(spec, kernelContext, {
    ...buildOptionsOf(options),
    refresh,
  });
  if (!kernel.ok) return done(kernel);
  const modules: Record<string, string | null> = {};
  const lines = [`${spec} is ${kernel.value.release}: ${kernel.value.image}`];
  for (const fs of ['ext2', 'ext4', 'xfs'] as const) {
    const module = await fileSystemModule(kernel.value, fs, kernelContext);
    if (!module.ok) return done(module);
    modules[fs] = module.value?.file ?? null;
    lines.push(
      module.value
        ? `${fs}: ${module.value.origin === 'packaged' && isBuiltFromSource(spec) ? 'its own' : module.value.origin} module ${module.value.file}`
        : `${fs}: no module of its own`,
    );
  }
  return done(success(json ? toJson(kernel.value, modules) : lines.join('\n')));
}

function toJson(kernel: Kernel, modules: Record<string, string | null>): string {
  const { spec, release, id, image } = kernel;
  return JSON.stringify(
    { schemaVersion: 1, kernel: { spec, release, id, image, modules } },
    null,
    2,
  );
}

function complete(context: KernelCommandContext) {
  const { signal, store = defaultStore() } = context;
  const reporter = makeReporter();
  const progress = context.progress ?? ((event) => reporter.progress(event));
  const kernelContext: KernelContext = { store, progress, ...(signal ? { signal } : {}) };
  const done = (outcome: Outcome<string>): number => {
    if (!context.progress) reporter.end();
    if (outcome.ok) {
      (context.print ?? ((text) => process.stdout.write(`${text}\n`)))(outcome.value);
      return EXIT.ok;
    }
    const { failure } = outcome;
    (context.printError ?? ((text) => process.stderr.write(`${text}\n`)))(formatFailure(failure));
    return exitCodeOf(failure);
  };
  return { store, kernelContext, done };
}
