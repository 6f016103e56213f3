import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import type { Store } from '../store/store.js';
import type { Host } from '../system/install.js';
import type { SourceChange } from './kernel-workspace.js';

/** A kernel that a guest can boot. Paths are absolute. */
export interface Kernel {
  /** As the user gave it: `debian:6.1`, `src:/linux@v6.1`, `image:/path/bzImage`, `host`. */
  spec: string;
  /** `uname -r` in the guest: `6.1.0-56-amd64`. */
  release: string;
  /** The version of its packages, of a packaged kernel: `6.1.192-2`. */
  packageVersion?: string;
  /** 32 hexadecimal digits that change with the image or its modules. */
  id: string;
  /** The bzImage; `daxrepro kernel path` prints it. */
  image: string;
  /**
   * The file for QEMU's `-kernel`: the vmlinux from the bzImage if QEMU can enter it directly,
   * which saves the guest the unpacking (5 s of an 8 s boot); else `image`.
   */
  bootImage: string;
  /** A directory like /lib/modules/<release>, with modules.dep. */
  modules?: string;
  /** The vmlinux with symbols, for our own builds. */
  symbols?: string;
  /** What modules can be built from, for packaged kernels and our own. */
  build?: KernelBuild;
  /** The modules as a guest gets them, if they came that way: see moduleTree. */
  tree?: ModuleTree;
  /** File systems known to have no DAX support in this kernel. */
  lacksDax?: string[];
}

export interface KernelBuild {
  /** The tree for `make -C`; the kernel's configuration is its `.config`. */
  headers: string;
  /** The same kernel's sources: only `fs/`, or the parts of it that are built. */
  source: string;
  /** The complete packaged sources, `linux-source-X.Y.tar.xz`, while the cache has them. */
  sourceArchive?: string;
  /**
   * The compiler of a packaged kernel, `gcc-12`, which this machine may lack; its path, if it came with
   * the headers, and for our own builds.
   */
  compiler: string;
}

export interface KernelContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal;
  /** For checks of the machine before anything is installed; tests give another one. */
  host?: Host;
}

/** How a kernel is built from its sources. */
export interface BuildOptions {
  /** The compiler: a name or a path. `gcc` by default. */
  cc?: string | undefined;
  /** Fragments of a configuration, merged after our own; paths. */
  kconfig?: readonly string[] | undefined;
}

export interface ResolveOptions extends BuildOptions {
  /** Look for a newer packaged kernel even if the cache has one. */
  refresh?: boolean;
  /** Changes to the sources, for a kernel built from them. */
  change?: SourceChange | undefined;
}

/** Whether we build this whole kernel. */
export function isBuiltFromSource(spec: string): boolean {
  return /^(?:deb)?src:/.test(spec);
}

/** Refuses options that do not apply to a kernel. */
export function checkBuildOptions(
  spec: string,
  { cc, kconfig = [] }: BuildOptions,
): Outcome<undefined> {
  if (isBuiltFromSource(spec)) return success(undefined);
  if (kconfig.length > 0) {
    return failure(
      'usage',
      `--kconfig with --kernel ${spec}: that kernel already has its configuration`,
      'Use a kernel that is built from source, such as --kernel debsrc:6.1',
    );
  }
  if (cc !== undefined) {
    return failure(
      'usage',
      `--cc with --kernel ${spec}: that kernel is already built, and its modules need the same compiler`,
      'Use a kernel that is built from source, such as --kernel debsrc:6.1',
    );
  }
  return success(undefined);
}

/** Modules for a guest's image. */
export interface ModuleTree {
  /** Holds lib/modules/<release>, with depmod's files. */
  directory: string;
  /** Names of the wanted modules that are built into the kernel. */
  builtIn: string[];
  /** Names of the wanted modules that the kernel does not have. */
  absent: string[];
  /** Whether our own module, `WITNESS`, is in it. */
  witness: WitnessState;
}

/** Whether it is there, and if not, why: one clause without the full stop. */
export interface WitnessState {
  missing?: string | undefined;
  /** This machine has no compiler now, but may have one the next time. */
  wantsCompiler?: boolean | undefined;
}
