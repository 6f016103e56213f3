import { join } from 'node:path';

/** A kernel's configuration, as `.config` and /boot/config-<release> have it. */

/** The value of `CONFIG_<name>`: `y`, `m`, a number, a string without its quotes; undefined: off. */
export function configured(configuration: string, name: string): string | undefined {
  const value = configuration.match(new RegExp(`^CONFIG_${name}=(.*)$`, 'm'))?.[1];
  return value?.replace(/^"(.*)"$/, '$1');
}

/** The program that the kernel was compiled with, without its target's prefix: `gcc-12`. */
export function compilerOf(configuration: string): string {
  const text = configured(configuration, 'CC_VERSION_TEXT') ?? '';
  return text.match(/(?:^|-)((?:gcc|clang)(?:-\d+)?)(?= |$)/)?.[1] ?? 'gcc';
}

/** Where the headers packages, unpacked below `root`, have what `make -C` wants. */
export function headersDirectory(root: string, release: string): string {
  return join(root, 'usr/src', `linux-headers-${release}`);
}
