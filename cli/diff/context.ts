import type { CompareResult } from '../results/compare-result.js';
import { resultsOf, type Side, unitsOf } from './sides.js';

/** Differences in kernels, QEMU, tools and hosts, which often explain different results. Pure. */

export interface ContextDifference {
  what: string;
  /** Each value once, in order. Untrusted text. */
  before: string[];
  after: string[];
}

/** Returns only what differs. */
export function contextDifferences(before: Side, after: Side): ContextDifference[] {
  const shared = sharedVariants(before, after);
  const [old, young] = [valuesOf(before, shared), valuesOf(after, shared)];
  return Object.keys(old)
    .map((what) => ({ what, before: old[what] ?? [], after: young[what] ?? [] }))
    .filter((one) => one.before.length > 0 && one.after.length > 0)
    .filter((one) => one.before.join('\n') !== one.after.join('\n'));
}

/** Compares modules of the same variant only, or of the only variants of both sides. */
function sharedVariants(before: Side, after: Side): (variant: string) => boolean {
  const [old, young] = [before, after].map(
    (side) => new Set(unitsOf(side).map(({ variant }) => variant)),
  ) as [Set<string>, Set<string>];
  if (old.size <= 1 && young.size <= 1) return () => true;
  return (variant) => old.has(variant) && young.has(variant);
}

function valuesOf(side: Side, shared: (variant: string) => boolean): Record<string, string[]> {
  const units = unitsOf(side);
  const results = resultsOf(side) as Partial<CompareResult>[];
  const modules = (fs: string) =>
    units
      .filter((unit) => unit.fs === fs && unit.dax.module && shared(unit.variant))
      .map(({ dax: { module }, variant }) => `${module?.buildId || module?.sha256} (${variant})`);
  return {
    daxrepro: each(results.map(({ tool }) => tool?.version)),
    kernel: each(units.map(({ kernel }) => `${kernel.release} from ${kernel.spec}`)),
    // Two builds may have the same release.
    'kernel id': each(units.map(({ kernel }) => kernel.id)),
    'ext2 module': each(modules('ext2')),
    'ext4 module': each(modules('ext4')),
    'xfs module': each(modules('xfs')),
    suite: each(units.map(({ suite }) => `${suite.name} ${suite.version}`)),
    accelerator: each(units.map(({ accel }) => accel)),
    QEMU: each(results.map(({ host }) => host?.qemu)),
    e2fsprogs: each(results.map(({ tools }) => tools?.e2fsprogs)),
    xfsprogs: each(results.map(({ tools }) => tools?.xfsprogs)),
    'e2fsprogs from': each(results.map(({ tools }) => tools?.e2fsprogsFrom)),
    'xfsprogs from': each(results.map(({ tools }) => tools?.xfsprogsFrom)),
    userland: each(results.map(({ tools }) => tools?.userland)),
    'host kernel': each(results.map(({ host }) => host?.kernel)),
    CPUs: each(results.map(({ host }) => host?.cpus.toString())),
  };
}

function each(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values)]
    .filter((value) => value !== undefined && value !== '')
    .sort() as string[];
}
