import { namedVersion } from '../kernel/spec-version.js';
import { type KernelVersions, kernelVersion } from '../suite/conditions.js';

/** The versions that the kernel of a `--kernel` may have; undefined if only a look-up can tell. */
export function kernelVersions(spec: string): KernelVersions | undefined {
  const named = namedVersion(spec);
  if (!named) return undefined;
  const { version, patchlevel, sublevel } = named;
  return {
    low: kernelVersion(version, patchlevel, sublevel ?? 0),
    high: kernelVersion(version, patchlevel, sublevel ?? 255),
  };
}
