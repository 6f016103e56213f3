import { mkdir, realpath, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { librariesOfRoot } from '../guest/image.js';
import { LOADER, linkedLibraries } from '../guest/libraries.js';
import { contentsOfPackage, type PackageName } from '../guest/packages.js';
import { libraryPath, ownerOf, pathInGuest, realpathIn, type Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { ownLibraries } from './build-tree.js';
import type { PackageFiles } from './package-files.js';

/**
 * The libraries that a package brings into the guest. It uses those of the userland where they are new enough,
 * as if it were installed there. If they are not, the guest gets the package's, with its C library: newer
 * libraries also serve older programs.
 */

/** Path in the guest → file on this machine. */
export type GuestLibraries = Map<string, string>;

export interface LibraryRequest {
  name: PackageName;
  files: PackageFiles;
  /** The userland without the package. */
  base: Userland;
  /** The system that a package of Debian brings along; undefined for a tree, which was built on this machine. */
  system: Userland | undefined;
  /** An existing directory for links. */
  scratch: string;
}

/** Of glibc: they work only with each other. */
const C_LIBRARY =
  /^(?:ld-linux-x86-64|lib(?:c|m|mvec|dl|rt|pthread|resolv|util|anl|BrokenLocale|thread_db|nss_\w+))\.so\.\d+$/;

const DEBIAN_FOLDER = 'usr/lib/x86_64-linux-gnu';

export async function librariesForPackage(
  request: LibraryRequest,
): Promise<Outcome<GuestLibraries>> {
  const { files, base, system, scratch } = request;
  const own = await folderOf(files.libraries, join(scratch, 'own'));
  const programs = [...new Set(files.programs.values())];
  const linked = await linkedLibraries(programs, {
    loader: realpathIn(base.root, LOADER),
    // Without a system, the last ones are this machine's.
    places: [own, libraryPath(base), libraryPath(system ?? { name: 'host', root: '' })],
  });
  if (linked.newer && system) return withCLibrary({ ...request, system }, own, programs);
  const problem = problemOf(request, linked);
  if (problem) return problem;
  const root = await librariesOfRoot(base);
  if (!root.ok) return root;
  const folder = libraryFolder(root.value, base);
  const there = new Set(root.value.map((file) => pathInGuest(base, file)));
  const libraries: GuestLibraries = new Map();
  const mine = new Set(await Promise.all(files.libraries.map((file) => realpath(file))));
  for (const file of linked.files) {
    const isOwn = mine.has(await realpath(file));
    const fromBase = !isOwn && file.startsWith(`${base.root}/`);
    // One of another system, such as a folder of this machine, goes where the linker looks.
    const keepsPlace = fromBase && (base.root !== '' || !system || !isIn(system, file));
    const path = keepsPlace ? pathInGuest(base, file) : join(folder, basename(file));
    if (isOwn || !there.has(path)) libraries.set(path, file);
  }
  return success(libraries);
}

/** The package's libraries replace those of the userland. */
async function withCLibrary(
  { name, base, system, files }: LibraryRequest & { system: Userland },
  own: string,
  programs: readonly string[],
): Promise<Outcome<GuestLibraries>> {
  const root = await librariesOfRoot(base);
  if (!root.ok) return root;
  if (libraryFolder(root.value, base) !== DEBIAN_FOLDER) {
    return failure(
      'usage',
      `${name} of Debian needs a newer C library than ${ownerOf(base)} has`,
      'Add --userland with a suite of Debian, such as --userland debian:sid',
    );
  }
  const loader = realpathIn(system.root, LOADER);
  const linked = await linkedLibraries(programs, {
    loader,
    places: [own, libraryPath(system)],
  });
  const strange = linked.files.filter((file) => !isIn(system, file) && !file.startsWith(`${own}/`));
  const missing = [...linked.missing, ...strange.map((file) => basename(file))];
  const problem = problemOf({ name, base, system, files }, { ...linked, missing });
  if (problem) return problem;
  const libraries: GuestLibraries = new Map([['usr/lib64/ld-linux-x86-64.so.2', loader]]);
  const folder = join(system.root, DEBIAN_FOLDER);
  const glibc = ownLibraries(folder, ['lib', 'ld-linux-x86-64']).filter((file) =>
    C_LIBRARY.test(basename(file)),
  );
  const unwinder = ownLibraries(folder, ['libgcc_s']);
  for (const file of [...glibc, ...unwinder, ...linked.files]) {
    libraries.set(join(DEBIAN_FOLDER, basename(file)), file);
  }
  return success(libraries);
}

function problemOf(
  { name, base, system }: Pick<LibraryRequest, 'name' | 'base' | 'system' | 'files'>,
  { newer, missing }: Awaited<ReturnType<typeof linkedLibraries>>,
): ReturnType<typeof failure> | undefined {
  if (newer) {
    return failure(
      'usage',
      `${newer.by} needs ${newer.version}, and the libraries of ${ownerOf(base)} are older`,
      'Use a newer --userland, or build it on an older system',
    );
  }
  if (missing.length === 0) return undefined;
  return failure(
    'usage',
    `Programs of ${system ? system.name : name} lack libraries: ${missing.join(', ')}`,
    system ? 'Use another suite' : 'Install the packages that they come from',
  );
}

/** A folder with these libraries, by the names that programs ask for. */
async function folderOf(libraries: readonly string[], folder: string): Promise<string> {
  await mkdir(folder);
  for (const file of libraries) await symlink(file, join(folder, basename(file)));
  return folder;
}

/** Where the guest's linker looks for libraries. */
function libraryFolder(libraries: readonly string[], base: Userland): string {
  const c = libraries.find((file) => basename(file) === 'libc.so.6');
  return c === undefined ? DEBIAN_FOLDER : dirname(pathInGuest(base, c));
}

function isIn({ root }: Userland, file: string): boolean {
  return file.startsWith(`${root}/`);
}

/** The package's own libraries in a system. */
export function librariesIn(name: PackageName, { root }: Userland): string[] {
  return ownLibraries(join(root, DEBIAN_FOLDER), contentsOfPackage(name).libraries.names);
}
