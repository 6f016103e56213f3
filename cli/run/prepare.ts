import { readFile } from 'node:fs/promises';
import type { FileSystem } from '../file-systems.js';
import { type AcceleratorChoice, chooseAccelerator, probeKvm } from '../guest/accelerator.js';
import { type GuestImage, guestImage } from '../guest/image.js';
import { readManifest } from '../guest/manifest.js';
import type { Userland } from '../guest/userland.js';
import type { FileSystemModule } from '../kernel/file-system-module.js';
import type { GitSource } from '../kernel/git-source.js';
import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import { moduleTree } from '../kernel/module-tree.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import { featuresToTurnOff } from '../plan/mkfs-options.js';
import { findProgram } from '../system/programs.js';
import { variantKernel } from '../variant/kernel.js';
import { variantModule } from '../variant/module.js';
import { treeKernel } from '../variant/tree-kernel.js';
import { BASE, type Variant } from '../variant/variant.js';

export interface PrepareRequest {
  kernel: string;
  fs: FileSystem;
  variant: Variant;
  build?: BuildOptions | undefined;
  accelerator: AcceleratorChoice;
  /** Tests that are not part of daxrepro, for the guest's image. */
  suite?: GuestImage | undefined;
  /** Programs for interactive use. */
  programs?: GuestImage | undefined;
}

export async function prepare(
  request: PrepareRequest,
  context: MachineContext,
): Promise<Outcome<Prepared>> {
  const more = [request.suite, request.programs].filter((one) => one !== undefined);
  const { fs, variant } = request;
  const found = await variantKernel(request.kernel, variant, request.build ?? {}, context);
  if (!found.ok) return found;
  const { kernel, changed } = found.value;
  // The first build of the module takes long. The image and the trial of KVM run meanwhile.
  const [module, machine] = await Promise.all([
    prepareModule(kernel, fs, changed ? BASE : variant, context),
    prepareMachine(kernel, request.accelerator, context, more),
  ]);
  if (!machine.ok) return machine;
  if (!module.ok) return module;
  return success({ ...machine.value, module: module.value });
}

/** The file system's module for the guest. */
export async function prepareModule(
  kernel: Kernel,
  fs: FileSystem,
  variant: Variant,
  context: MachineContext,
): Promise<Outcome<Prepared['module']>> {
  if (fs === 'xfs') noteMkfsOptions(kernel, context);
  const module = await variantModule(kernel, fs, variant, context);
  return module.ok ? success(await asSent(module.value)) : module;
}

/** Says that mkfs.xfs is too new for the kernel. */
function noteMkfsOptions(
  { release }: Kernel,
  { progress, xfsprogs: version }: MachineContext,
): void {
  const features = featuresToTurnOff(release, version);
  if (features.length === 0) return;
  const options = features.map(({ option }) => option).join(' ');
  const text = `mkfs.xfs ${version} turns on features that ${release} does not know; the guest uses ${options}, unless --mkfs-opts sets them`;
  progress({ type: 'note', text });
}

async function asSent(module: FileSystemModule | undefined): Promise<Prepared['module']> {
  // The kernel's own modules are in the image; a module that we built is sent.
  const sent = module?.origin === 'built';
  return module && { ...module, ...(sent ? { bytes: await readFile(module.file) } : {}) };
}

/** The same for a git tree, on its own kernel or on one that fits it. */
export async function prepareTree(
  source: GitSource,
  request: {
    fs: FileSystem;
    base?: Kernel | undefined;
    build?: BuildOptions | undefined;
    accelerator: AcceleratorChoice;
    suite?: GuestImage | undefined;
  },
  context: MachineContext,
): Promise<Outcome<Prepared>> {
  const { fs, base, build, suite } = request;
  const built = await treeKernel(source, fs, { base, build }, context);
  if (!built.ok) return built;
  const { kernel, module } = built.value;
  const more = suite ? [suite] : [];
  const machine = await prepareMachine(kernel, request.accelerator, context, more);
  return machine.ok ? success({ ...machine.value, module: await asSent(module) }) : machine;
}

/** The context of a machine that guests run on. */
export interface MachineContext extends KernelContext {
  /** The emulator; undefined: the one in PATH. */
  qemu?: string | undefined;
  /** Where the guest's programs come from; undefined: this machine. */
  userland?: Userland | undefined;
  /** The version of the guest's mkfs.xfs, if it is known. */
  xfsprogs?: string | undefined;
}

/** What all units of a kernel share, for every file system and variant. */
export async function prepareMachine(
  kernel: Kernel,
  accelerator: AcceleratorChoice,
  context: MachineContext,
  more: readonly GuestImage[] = [],
): Promise<Outcome<Omit<Prepared, 'module'>>> {
  const qemu = context.qemu ?? findProgram('qemu-system-x86_64');
  if (!qemu) {
    return failure(
      'program-missing',
      'This machine has no qemu-system-x86_64',
      '`daxrepro setup` installs it',
    );
  }
  const bootable = await prepareBoot(qemu, kernel, accelerator, context, more);
  return bootable.ok
    ? success({ qemu, kernel, userland: context.userland, ...bootable.value })
    : bootable;
}

async function prepareBoot(
  qemu: string,
  kernel: Kernel,
  choice: AcceleratorChoice,
  context: MachineContext,
  more: readonly GuestImage[],
): Promise<Outcome<Pick<Prepared, 'initramfs' | 'accelerator' | 'witness'>>> {
  const { progress, store, signal } = context;
  const modules = await moduleTree(kernel, readManifest().modules, context);
  if (!modules.ok) return modules;
  const directory = kernel.modules ? modules.value.directory : undefined;
  const image = await guestImage(directory, context, more);
  if (!image.ok) return image;
  const initramfs = image.value.file;
  const { witness } = modules.value;
  if (choice === 'tcg') return success({ initramfs, witness, accelerator: 'tcg' });

  const files = { qemu, kernel: kernel.bootImage, initramfs };
  const answer = await probeKvm({ store, files, ...(signal ? { signal } : {}) });
  if (choice === 'kvm' && !answer.usable) {
    return failure(
      'usage',
      `--accel kvm cannot be used here: ${answer.reason}`,
      'Use --accel auto, which falls back to emulation',
    );
  }
  const chosen = chooseAccelerator(choice, answer);
  if (chosen.note) progress({ type: 'note', text: chosen.note });
  return success({ initramfs, witness, accelerator: chosen.accelerator });
}
