import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../outcome.js';

/** The complete sources of a kernel, wherever they come from. */
export interface SourceTree {
  /** As the user named it: `debsrc:6.1`, `src:/linux@v6.1`. */
  spec: string;
  /** Changes whenever a file of the sources does. */
  identity: string;
  /**
   * Identifies the kernel built from the tree, if less than all the sources matters: trees that
   * differ only in separately built modules share one kernel.
   */
  builtAs?: string;
  /**
   * Trees of one family are versions of each other: a build of one continues from the build of the
   * last.
   */
  family: string;
  /** From its Makefile: `6.1.192`, `6.14.0-rc3`. */
  version: string;
  /**
   * Makes `directory` hold exactly these sources. The directory is empty, or holds what an earlier
   * call with a tree of this family left; unchanged files keep their times. `notes` is a directory
   * where this call leaves notes for the next.
   */
  exportTo(directory: string, notes: string, signal?: AbortSignal): Promise<Outcome<unknown>>;
}

/** VERSION, PATCHLEVEL and so on of a kernel's Makefile; undefined if it is not one. */
export function parseVersion(makefile: string): string | undefined {
  const value = (name: string) =>
    makefile.match(new RegExp(`^${name}[ \\t]*=[ \\t]*(.*)$`, 'm'))?.[1];
  const [major, minor] = [
    Number(value('VERSION') || 'none'),
    Number(value('PATCHLEVEL') || 'none'),
  ];
  if (!Number.isInteger(major) || !Number.isInteger(minor)) return undefined;
  const sublevel = value('SUBLEVEL')?.trim() || '0';
  return `${major}.${minor}.${sublevel}${value('EXTRAVERSION')?.trim() ?? ''}`;
}

export async function versionOf(directory: string): Promise<string | undefined> {
  return parseVersion(await readFile(join(directory, 'Makefile'), 'utf8').catch(() => ''));
}

/**
 * Files that a build in the tree leaves, and files that make refuses a separate build for. They are
 * not sources.
 */
export function isBuildProduct(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    ['.config', '.config.old', '.version', '.missing-syscalls.d', 'vmlinux', 'vmlinux.o'].includes(
      path,
    ) ||
    /^(include\/(config|generated)|arch\/\w+\/include\/generated|lib\/modules)\//.test(path) ||
    /^\.git(\/|$)/.test(path) ||
    /^\.tmp_|^\..*\.cmd$|\.(o|ko|a|mod|order|symvers|dwo|gcno)$|\.mod\.c$/.test(name)
  );
}
