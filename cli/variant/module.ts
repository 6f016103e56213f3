import { type FileSystemModule, fileSystemModule } from '../kernel/file-system-module.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome } from '../outcome.js';
import type { FileSystem } from '../plan/unit.js';
import type { Variant } from './variant.js';

/** The module that serves a file system in a variant: the kernel's own where nothing touches it. */
export async function variantModule(
  kernel: Kernel,
  fs: FileSystem,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<FileSystemModule | undefined>> {
  if (variant.changes.length === 0) return fileSystemModule(kernel, fs, context);
  return failure('usage', 'Changes to a kernel cannot be run yet', 'Leave --patch out');
}
