import type { Outcome } from '../outcome.js';
import type { Progress } from '../report/progress.js';
import type { Store } from '../store/store.js';
import { resolveDebian } from './debian.js';
import { resolveHost, resolveImage } from './local.js';
import { parseSpec } from './spec.js';

/** A kernel that a guest can boot. Paths are absolute. */
export interface Kernel {
  /** As it was given: `debian:6.1`, `image:/path/bzImage,/path/modules`, `host`. */
  spec: string;
  /** `uname -r` in the guest: `6.1.0-56-amd64`. */
  release: string;
  /** 32 hexadecimal digits that change with the image or its modules. */
  id: string;
  /** The bzImage: what `daxrepro kernel path` prints. */
  image: string;
  /**
   * What QEMU's `-kernel` gets: the vmlinux that was in the bzImage where it can be entered
   * directly, which spares the guest the unpacking (5 s of an 8 s boot); else `image`.
   */
  bootImage: string;
  /** A directory that is like /lib/modules/<release>, with modules.dep. */
  modules?: string;
  /** Packaged kernels: what their modules can be built from. */
  build?: KernelBuild;
  /** File systems whose code in this kernel is known to have no DAX. */
  lacksDax?: string[];
}

export interface KernelBuild {
  /** The tree for `make -C`; the kernel's configuration is its `.config`. */
  headers: string;
  /** The same version's sources; of them only `fs/`. */
  source: string;
  /** The whole sources as they were packaged, `linux-source-X.Y.tar.xz`, while the cache has them. */
  sourceArchive?: string;
  /** The program that the kernel was compiled with, `gcc-12`; this machine may lack it. */
  compiler: string;
}

export interface KernelContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal;
}

export interface ResolveOptions {
  /** Look for a newer packaged kernel even where one is in the cache. */
  refresh?: boolean;
}

/** Finds, and where needed fetches, the kernel that `spec` names. */
export async function resolveKernel(
  spec: string,
  context: KernelContext,
  options: ResolveOptions = {},
): Promise<Outcome<Kernel>> {
  const parsed = await parseSpec(spec);
  if (!parsed.ok) return parsed;
  switch (parsed.value.type) {
    case 'debian':
      return resolveDebian(spec, parsed.value.kernel, context, options);
    case 'image':
      return resolveImage(spec, parsed.value, context);
    case 'host':
      return resolveHost(spec, context);
  }
}
