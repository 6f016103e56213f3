import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { contentsOfPackage, type PackageName } from '../guest/packages.js';
import { failure, type Outcome, success } from '../outcome.js';
import { isExecutable } from '../system/programs.js';
import type { PackageFiles } from './package-files.js';

/** The programs of a package in the directory where `make` built it. */

export function findInTree(name: PackageName, directory: string): Outcome<PackageFiles> {
  const { programs, links, files, directories, libraries } = contentsOfPackage(name);
  const found = new Map<string, string>();
  const missing: string[] = [];
  for (const [program, path] of Object.entries({ ...programs.required, ...programs.optional })) {
    const file = builtProgram(join(directory, path));
    if (file !== undefined) found.set(program, file);
    else if (Object.hasOwn(programs.required, program)) missing.push(path);
  }
  if (missing.length > 0) {
    return failure(
      'usage',
      `${directory} is not a build of ${name}: it has no ${missing.join(', ')}`,
      'Run make in it, or name the directory in which make built the programs',
    );
  }
  for (const [link, program] of Object.entries(links)) {
    const file = found.get(program);
    if (file !== undefined) found.set(link, file);
  }
  return success({
    programs: found,
    files: new Map(
      Object.entries(files)
        .map(([path, own]): [string, string] => [path, join(directory, own)])
        .concat(
          Object.entries(directories).flatMap(([path, own]) =>
            configurations(directory, path, own),
          ),
        )
        .filter(([, file]) => isFile(file)),
    ),
    libraries: libraries.folders.flatMap((folder) =>
      ownLibraries(join(directory, folder), libraries.names),
    ),
  });
}

/** What a directory of the guest gets: files like mkfs/lts_6.12.conf. */
function configurations(directory: string, path: string, own: string): [string, string][] {
  return namesIn(join(directory, own))
    .filter((file) => file.endsWith('.conf'))
    .map((file) => [join(path, file), join(directory, own, file)]);
}

/** libtool leaves a script in place of a program that needs a library of the same tree. */
function builtProgram(file: string): string | undefined {
  const hidden = ['', 'lt-'].map((start) => join(dirname(file), '.libs', start + basename(file)));
  const real = isExecutable(file) && isScript(file) ? hidden.find(isExecutable) : undefined;
  if (real !== undefined) return real;
  // Scripts of a source tree need not be executable.
  return isExecutable(file) || (file.endsWith('.sh') && isFile(file)) ? file : undefined;
}

/** The shared libraries of a package in a folder, by the names that programs ask for. */
export function ownLibraries(folder: string, names: readonly string[]): string[] {
  return namesIn(folder)
    .filter((file) => /\.so\.\d+$/.test(file) && names.some((name) => file.startsWith(`${name}.`)))
    .map((file) => join(folder, file))
    .filter(isFile);
}

function isScript(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const start = Buffer.alloc(2);
    readSync(descriptor, start, 0, 2, 0);
    return start.toString('latin1') === '#!';
  } finally {
    closeSync(descriptor);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
