import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import type { Store } from '../store/store.js';
import type { Host } from '../system/install.js';
import type { SourceChange } from './kernel-workspace.js';

/** A kernel that a guest can boot. Paths are absolute. */
export interface Kernel {
  /** As it was given: `debian:6.1`, `src:/linux@v6.1`, `image:/path/bzImage`, `host`. */
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
  /** The vmlinux with its symbols, of our own builds. */
  symbols?: string;
  /** What modules can be built from, where that is known: for packaged kernels and our own. */
  build?: KernelBuild;
  /** Its modules as a guest gets them, where they came that way: see moduleTree. */
  tree?: ModuleTree;
  /** File systems whose code in this kernel is known to have no DAX. */
  lacksDax?: string[];
}

export interface KernelBuild {
  /** The tree for `make -C`; the kernel's configuration is its `.config`. */
  headers: string;
  /** The same sources; of them only `fs/`, or what is built from there. */
  source: string;
  /** The whole sources as they were packaged, `linux-source-X.Y.tar.xz`, while the cache has them. */
  sourceArchive?: string;
  /**
   * The program that the kernel was compiled with, `gcc-12`, which this machine may lack; of our own
   * builds its path.
   */
  compiler: string;
}

export interface KernelContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal;
  /** What is asked of the machine before anything is installed; tests give another one. */
  host?: Host;
}

/** How a kernel is built from its sources. */
export interface BuildOptions {
  /** The compiler: a name or a path. `gcc` by default. */
  cc?: string | undefined;
  /** Fragments of a configuration, after our own; paths. */
  kconfig?: readonly string[] | undefined;
}

export interface ResolveOptions extends BuildOptions {
  /** Look for a newer packaged kernel even where one is in the cache. */
  refresh?: boolean;
  /** Changes to the sources, for a kernel that is built from them. */
  change?: SourceChange | undefined;
}

/** Whether this kernel is built as a whole, by us. */
export function isBuiltFromSource(spec: string): boolean {
  return /^(?:deb)?src:/.test(spec);
}

/** Refuses options that have no meaning for a kernel. */
export function checkBuildOptions(
  spec: string,
  { cc, kconfig = [] }: BuildOptions,
): Outcome<undefined> {
  if (isBuiltFromSource(spec)) return success(undefined);
  if (kconfig.length > 0) {
    return failure(
      'usage',
      `--kconfig with --kernel ${spec}: that kernel has its configuration already`,
      'Use a kernel that is built from its source, such as --kernel debsrc:6.1',
    );
  }
  if (cc !== undefined) {
    return failure(
      'usage',
      `--cc with --kernel ${spec}: that kernel is built already, and its modules by the compiler that fits it`,
      'Use a kernel that is built from its source, such as --kernel debsrc:6.1',
    );
  }
  return success(undefined);
}

/** Modules for a guest's image. */
export interface ModuleTree {
  /** Holds lib/modules/<release>, with what depmod makes. */
  directory: string;
  /** Of those wanted, the names of what the kernel has in its image. */
  builtIn: string[];
  /** Of those wanted, the names of what the kernel does not have. */
  absent: string[];
  /** Whether our own module is in it, `WITNESS`. */
  witness: WitnessState;
}

/** Where it is not there: why, in one clause without the full stop. */
export interface WitnessState {
  missing?: string | undefined;
  /** That this machine has no compiler: it may have one the next time. */
  wantsCompiler?: boolean | undefined;
}
