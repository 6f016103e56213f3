import { checkBuild } from '../kernel/full-build.js';
import type { BuildOptions, KernelContext } from '../kernel/kernel.js';
import { type KernelSpec, parseSpec } from '../kernel/spec.js';
import type { Outcome } from '../outcome.js';
import { ensureSystem } from '../system/install.js';
import type { Part } from '../system/requirements.js';
import { readChangeFiles } from '../variant/changes.js';

/** The requested kernel, and the files that change it. */
export interface WantedKernel {
  kernel: string;
  build?: BuildOptions | undefined;
  changes: readonly string[];
}

/** Installs the system packages that a run on this kernel needs. Bad requests fail before that. */
export async function ensureSystemFor(
  { kernel, build = {}, changes }: WantedKernel,
  context: Pick<KernelContext, 'progress' | 'signal'>,
): Promise<Outcome<void>> {
  const spec = await parseSpec(kernel);
  if (!spec.ok) return spec;
  const readable = await readChangeFiles(changes);
  if (!readable.ok) return readable;
  const buildable = await checkBuild(build);
  if (!buildable.ok) return buildable;
  return ensureSystem(PARTS[spec.value.type], context);
}

/** A full kernel build needs more. Those packages are installed when a build begins. */
const PARTS: Record<KernelSpec['type'], readonly Part[]> = {
  debian: ['run', 'debian-kernel', 'build'],
  debsrc: ['run', 'debian-kernel', 'build'],
  src: ['run', 'build', 'patches'],
  image: ['run'],
  host: ['run'],
};
