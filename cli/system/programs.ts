import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Family, type Part, REQUIREMENTS, type Requirement } from './requirements.js';

/** Finds programs without starting any: this happens before every run. */

/**
 * Ordinary users of Debian do not have these in their PATH; e2fsck, depmod and others are there.
 */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** `path` plus the sbin directories that it lacks: the PATH for programs that we start. */
export function systemPath(path: string = process.env['PATH'] ?? '/usr/bin:/bin'): string {
  const directories = path.split(':');
  return [...directories, ...SBIN.filter((one) => !directories.includes(one))].join(':');
}

/** The path of a program, as a shell would find it; undefined if there is none. */
export function findProgram(name: string, path: string = systemPath()): string | undefined {
  for (const directory of path.split(':')) {
    // An empty entry means the current directory, which we do not search.
    if (directory === '') continue;
    const file = join(directory, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

export function isExecutable(file: string): boolean {
  try {
    // Do not throw if it is missing: there are hundreds of lookups, and exceptions are slow.
    const found = statSync(file, { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

export interface Missing {
  requirement: Requirement;
  /** The missing programs, or the missing file. */
  names: string[];
}

/** The missing requirements of these parts. */
export function missingRequirements(
  parts: readonly Part[],
  path: string = systemPath(),
  requirements: readonly Requirement[] = REQUIREMENTS,
): Missing[] {
  return requirements
    .filter(({ part }) => parts.includes(part))
    .map((requirement) => ({ requirement, names: missingNames(requirement, path) }))
    .filter(({ names }) => names.length > 0);
}

/**
 * The programs that xfstests tests need and this machine lacks, with their packages; empty if none.
 */
export function xfstestsLacks(path?: string, family: Family = 'debian'): string {
  return missingRequirements(['xfstests'], path)
    .map(({ requirement, names }) => {
      const name = requirement.packages[family];
      return `${names.join(' and ')}${name ? ` (package ${name})` : ''}`;
    })
    .join(', ');
}

function missingNames({ programs, file }: Requirement, path: string): string[] {
  const names = programs.filter((name) => findProgram(name, path) === undefined);
  return file === undefined || existsSync(file) ? names : [...names, file];
}
