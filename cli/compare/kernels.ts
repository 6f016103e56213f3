import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { fullBuildSpec } from '../variant/reach.js';
import type { Variant } from '../variant/variant.js';

/** The kernels of a comparison, one or several side by side. */

export interface ComparedKernel {
  /** The kernel without changes. */
  kernel: Kernel;
  /** Build options for variants that need their own kernel. */
  build: BuildOptions;
}

/** By `kernelKey`; a kernel that cannot be had has the reason. */
export type ComparedKernels = ReadonlyMap<string, Outcome<ComparedKernel>>;

/** Identifies the kernel of a request among those of its comparison. */
export function kernelKey({ askedKernel }: Pick<RunRequest, 'askedKernel'>): string {
  return askedKernel ?? '';
}

/** @param find looks up the kernel of a request */
export async function comparedKernels(
  requests: readonly RunRequest[],
  find: (request: RunRequest) => Promise<Outcome<Kernel>>,
): Promise<ComparedKernels> {
  const found = new Map<string, Outcome<ComparedKernel>>();
  for (const request of requests) {
    const key = kernelKey(request);
    if (found.has(key)) continue;
    const kernel = await find(request);
    const build = request.build ?? {};
    found.set(key, kernel.ok ? success({ kernel: kernel.value, build }) : kernel);
  }
  return found;
}

/**
 * The spec of a kernel that is compared. If one variant needs a full build, all of them get one, so that
 * they differ in the change alone and not in the configuration.
 */
export async function comparedSpec(
  spec: string,
  variants: readonly Variant[],
  context: KernelContext,
): Promise<string> {
  for (const variant of variants) {
    const full = await fullBuildSpec(spec, variant, context);
    // A failure is reported with its variant later.
    if (!full.ok || !full.value || full.value.spec === spec) continue;
    const text = `${full.value.why}. All variants are compared on it`;
    context.progress({ type: 'note', text });
    return full.value.spec;
  }
  return spec;
}
