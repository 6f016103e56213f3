import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Kernel } from './kernel.js';

/** A kernel's configuration, in the format of `.config` and /boot/config-<release>. */

/**
 * The value of `CONFIG_<name>`: `y`, `m`, a number, or a string without its quotes; undefined if
 * off.
 */
export function configured(configuration: string, name: string): string | undefined {
  const value = configuration.match(new RegExp(`^CONFIG_${name}=(.*)$`, 'm'))?.[1];
  return value?.replace(/^"(.*)"$/, '$1');
}

/** The compiler of the kernel, without its target prefix: `gcc-12`. */
export function compilerOf(configuration: string): string {
  const text = configured(configuration, 'CC_VERSION_TEXT') ?? '';
  return text.match(/(?:^|-)((?:gcc|clang)(?:-\d+)?)(?= |$)/)?.[1] ?? 'gcc';
}

/** The directory for `make -C`, in headers packages unpacked below `root`. */
export function headersDirectory(root: string, release: string): string {
  return join(root, 'usr/src', `linux-headers-${release}`);
}

/**
 * The kernel's configuration, from the first place that has it: with its headers, where packages
 * install it, or in the tree that built it.
 */
export async function readConfiguration(kernel: Kernel): Promise<string | undefined> {
  const { image, release, modules, build } = kernel;
  const places = [
    ...(build ? [join(build.headers, '.config')] : []),
    join(dirname(image), `config-${release}`),
    ...(modules === undefined ? [] : [join(modules, 'config')]),
    ...(image.endsWith(IN_TREE) ? [join(image.slice(0, -IN_TREE.length), '.config')] : []),
  ];
  for (const place of places) {
    const text = await readFile(place, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Where the kernel's Makefile leaves the image. */
const IN_TREE = '/arch/x86/boot/bzImage';
