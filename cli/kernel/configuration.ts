import { join } from 'node:path';

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
