import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Family, type Part, REQUIREMENTS, type Requirement } from './requirements.js';

/** Looking for programs, without starting any: this is done before every run. */

/** Debian's users do not have them in their PATH; e2fsck, depmod and others are there. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** `path` and the sbin directories that it lacks: the PATH for the programs that we start. */
export function systemPath(path: string = process.env['PATH'] ?? '/usr/bin:/bin'): string {
  const directories = path.split(':');
  return [...directories, ...SBIN.filter((one) => !directories.includes(one))].join(':');
}

/** Where a program is, as a shell would find it; undefined where it is not. */
export function findProgram(name: string, path: string = systemPath()): string | undefined {
  for (const directory of path.split(':')) {
    // An empty one is the current directory, in which we do not look.
    if (directory === '') continue;
    const file = join(directory, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    // No exception where it is missing: there are hundreds of these, and exceptions are slow.
    const found = statSync(file, { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

export interface Missing {
  requirement: Requirement;
  /** What of it is missing: names of programs, or its file. */
  names: string[];
}

/** What of these parts' requirements is not there. */
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

/** The programs that tests of xfstests want and this machine lacks, by package; empty: none. */
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
