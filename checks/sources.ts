import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';

/** The sources by language, for checks that take files. */

export const root = fileURLToPath(new URL('../', import.meta.url));

/** Paths below `directory`. */
export interface Sources {
  directory: string;
  /** Files with a shell in their first line. */
  shell: string[];
  /** Parts of bash scripts: the guest's libraries and tests. */
  bash: string[];
  perl: string[];
  /** Programs and the plugin. */
  c: string[];
  /** All C there is, with headers and kernel modules. */
  cAndHeaders: string[];
}

/** Scripts without a suffix and without a first line that names a shell. */
const BASH = /^(?:guest-scripts\/(?:tests\/.*|lib\/shellrc)|test\/stand-in\/xfstests\/common\/.*)$/;

/** Kernel modules compile only against a kernel's headers; its build checks them. */
const MODULES = /^kernels\//;

/** Files that git tracks, and new ones that it does not ignore. */
export async function findSources(directory: string): Promise<Sources> {
  const { stdout } = await $({ cwd: directory })`git ls-files -z -co --exclude-standard`;
  const sources: Sources = { directory, shell: [], bash: [], perl: [], c: [], cAndHeaders: [] };
  for (const path of new Set(stdout.split('\0'))) {
    const interpreter = interpreterOf(join(directory, path));
    if (path.endsWith('.pl') || interpreter === 'perl') sources.perl.push(path);
    else if (interpreter === 'sh' || interpreter === 'bash') sources.shell.push(path);
    else if (path.endsWith('.sh') || BASH.test(path)) sources.bash.push(path);
    else if (/\.[ch]$/.test(path)) sources.cAndHeaders.push(path);
  }
  sources.c = sources.cAndHeaders.filter((path) => path.endsWith('.c') && !MODULES.test(path));
  return sources;
}

/** `perl` of `#!/usr/bin/perl` and `#!/usr/bin/env perl`; undefined if there is no such line. */
function interpreterOf(path: string): string | undefined {
  const begin = Buffer.alloc(128);
  try {
    const file = openSync(path, 'r');
    readSync(file, begin);
    closeSync(file);
  } catch {
    // A deleted file whose deletion is not committed, or a directory.
    return undefined;
  }
  return /^#! *\S*\/(?:env +)?([\w.-]+)/.exec(begin.toString('latin1'))?.[1];
}
