import type { Outcome } from '../outcome.js';
import { resolveDebian } from './debian.js';
import { buildKernel } from './full-build.js';
import {
  checkBuildOptions,
  type Kernel,
  type KernelContext,
  type ResolveOptions,
} from './kernel.js';
import { resolveHost, resolveImage } from './local.js';
import { openSource } from './source.js';
import { parseSpec } from './spec.js';

/** Finds the kernel that `spec` names; fetches or builds it if needed. */
export async function resolveKernel(
  spec: string,
  context: KernelContext,
  options: ResolveOptions = {},
): Promise<Outcome<Kernel>> {
  const parsed = await parseSpec(spec);
  if (!parsed.ok) return parsed;
  const fitting = checkBuildOptions(spec, options);
  if (!fitting.ok) return fitting;
  switch (parsed.value.type) {
    case 'debian':
      return resolveDebian(spec, parsed.value.kernel, context, options);
    case 'image':
      return resolveImage(spec, parsed.value, context);
    case 'host':
      return resolveHost(spec, context);
    case 'debsrc':
    case 'src': {
      const tree = await openSource(spec, parsed.value, context, options);
      if (!tree.ok) return tree;
      return buildKernel({ tree: tree.value, options, change: options.change }, context);
    }
  }
}
