import { type FileSystemModule, fileSystemModule } from '../kernel/file-system-module.js';
import { isBuiltFromSource, type Kernel, type KernelContext } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { EXIT, exitCodeOf, formatFailure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { makeReporter } from '../report/reporter.js';
import { buildOptionsOf } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { defaultStore, type Store } from '../store/store.js';

/** `daxrepro kernel path` and `kernel build`. */

export interface KernelCommandContext {
  progress?: Progress;
  signal?: AbortSignal;
  store?: Store;
  print?: (text: string) => void;
  printError?: (text: string) => void;
}

type KernelCommandOptions = Pick<RunOptions, 'cc' | 'kconfig'>;

export interface KernelBuildOptions extends KernelCommandOptions {
  refresh?: boolean;
  json?: boolean;
}

/** `kernel path SPEC`: prints the image's path and nothing else. Downloads or builds it if needed. */
export async function kernelPathCommand(
  spec: string,
  options: KernelCommandOptions = {},
  context: KernelCommandContext = {},
): Promise<number> {
  const { kernelContext, done } = completeContext(context);
  const kernel = await resolveKernel(spec, kernelContext, buildOptionsOf(options));
  return done(kernel.ok ? success(kernel.value.image) : kernel);
}

/** `kernel build SPEC`: makes everything that a run needs from this kernel. */
export async function kernelBuildCommand(
  spec: string,
  { refresh = false, json = false, ...options }: KernelBuildOptions,
  context: KernelCommandContext = {},
): Promise<number> {
  const { kernelContext, done } = completeContext(context);
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
    lines.push(`${fs}: ${describeModule(spec, module.value)}`);
  }
  return done(success(json ? toJson(kernel.value, modules) : lines.join('\n')));
}

function describeModule(spec: string, module: FileSystemModule | undefined): string {
  if (!module) return 'no module of its own';
  const own = module.origin === 'packaged' && isBuiltFromSource(spec);
  return `${own ? 'its own' : module.origin} module ${module.file}`;
}

function toJson(kernel: Kernel, modules: Record<string, string | null>): string {
  const { spec, release, id, image } = kernel;
  return JSON.stringify(
    { schemaVersion: 1, kernel: { spec, release, id, image, modules } },
    null,
    2,
  );
}

/** Fills in what the context lacks; `done` prints an outcome and gives its exit code. */
export function completeContext(context: KernelCommandContext) {
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
