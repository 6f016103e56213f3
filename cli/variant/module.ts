import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import {
  builtFileSystemModule,
  type FileSystemModule,
  fileSystemModule,
  isBuiltIn,
} from '../kernel/file-system-module.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { RECIPES } from '../kernel/recipes.js';
import { failure, type Outcome } from '../outcome.js';
import { patchedSource } from './patched-source.js';
import type { Variant } from './variant.js';

/** A variant's module for a file system: the kernel's own if no change touches it. */
export async function variantModule(
  kernel: Kernel,
  fs: FileSystem,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<FileSystemModule | undefined>> {
  if (variant.changes.length === 0) return fileSystemModule(kernel, fs, context);
  const source = await patchedSource(kernel, variant, context);
  if (!source.ok) return source;
  const changed = join(source.value, RECIPES[fs].subdirectory);
  if (!existsSync(changed)) return fileSystemModule(kernel, fs, context);
  if (await isBuiltIn(kernel, fs)) {
    return failure(
      'change-rejected',
      `${variant.name} changes ${fs}, but ${kernel.release} has ${fs} built in, so no module can replace it`,
      'Use a kernel that has it as a module, such as --kernel debian:6.1',
    );
  }
  return builtFileSystemModule(kernel, fs, changed, context);
}
