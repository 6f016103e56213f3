import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { sha256Of } from '../sha256.js';
import type { Compiler } from '../system/compiler.js';
import { findProgram, isExecutable, systemPath } from '../system/programs.js';
import { type GuestPackage, type PackageName, packageWith } from './packages.js';

/** Where the programs of a guest come from: this machine, or a directory with another system. */
export interface Userland {
  /** As `--userland` names it: `host`, `debian:sid`, a directory. */
  name: string;
  /** The other system's directory; empty for this machine. */
  root: string;
  /** For a content that never changes: its name in the cache. Else files count by size and time. */
  key?: string;
  /** The compiler for our own programs, options that it needs, and its directory; undefined: this machine's. */
  compiler?: Compiler & { flags: readonly string[]; root?: string };
  /** Packages of which the guest gets nothing from here. */
  without?: readonly PackageName[];
  /** What the guest gets in their place. */
  packages?: readonly GuestPackage[];
}

export const HOST_USERLAND: Userland = { name: 'host', root: '' };

/** System directories come first: a guest should not get a wrapper from a user's PATH. */
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Whose programs they are, in words. */
export function ownerOf({ name, root }: Userland): string {
  return root === '' ? 'this machine' : name;
}

/**
 * The path on this machine of a program; undefined if the userland does not have it, or if its package comes from
 * somewhere else.
 */
export function findProgramIn({ root, without = [] }: Userland, name: string): string | undefined {
  const owner = without.length > 0 ? packageWith(basename(name)) : undefined;
  if (owner !== undefined && without.includes(owner)) return undefined;
  if (root === '') {
    return name.startsWith('/')
      ? findProgram('', name)
      : findProgram(name, `${SYSTEM_PATH}:${systemPath()}`);
  }
  const candidates = name.startsWith('/')
    ? [name]
    : SYSTEM_PATH.split(':').map((directory) => `${directory}/${name}`);
  const found = candidates.find((path) => isExecutable(realpathIn(root, path)));
  return found === undefined ? undefined : join(root, found);
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * Resolves links as a system with this root would. A path that does not exist is returned as far as it can be
 * resolved.
 *
 * @param path from the root: `/usr/bin/awk`
 * @returns the path on this machine
 */
export function realpathIn(root: string, path: string): string {
  let done = '/';
  let links = 0;
  const left = path.split('/').filter((part) => part !== '');
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    const next = resolve(done, part);
    const target = links < MOST_LINKS ? linkTarget(join(root, next)) : undefined;
    if (target === undefined) {
      done = next;
      continue;
    }
    links += 1;
    if (target.startsWith('/')) done = '/';
    left.unshift(...target.split('/').filter((one) => one !== ''));
  }
  return join(root, done);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The content of a file, with the links of a userland's file resolved within it. */
export function contentOf({ root }: Userland, file: string): string {
  const inside = root !== '' && file.startsWith(`${root}/`);
  return inside ? realpathIn(root, file.slice(root.length)) : realpathSync(file);
}

/** The path in a system with this root, where /lib and /lib64 are links to /usr. Without a leading slash. */
export function pathInGuest({ root }: Userland, file: string): string {
  return file
    .slice(root.length)
    .replace(/^\/(?=lib(64)?\/)/, '/usr/')
    .slice(1);
}

/** Directories of a root that the dynamic linker looks in. */
const LIBRARY_DIRECTORIES = [
  '/usr/lib/x86_64-linux-gnu',
  '/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/lib64',
  '/usr/lib',
];

/** For the dynamic linker's `--library-path`, with the folders of private libraries (DT_RUNPATH). */
export function libraryPath({ root }: Userland): string {
  const places = LIBRARY_DIRECTORIES.map((path) => join(root, path));
  const [first = ''] = places;
  const own = filesIn(root)(LIBRARY_DIRECTORIES[0] ?? '').filter((path) =>
    readableNames(path).some((name) => /\.so(?:\.\d|$)/.test(name)),
  );
  return [first, ...own, ...places.slice(1)].join(':');
}

/** Changes with the libraries. */
export function librariesIdentity({ root }: Userland): string {
  // ldconfig rewrites this machine's cache with every change to an installed library.
  const files = root === '' ? ['/etc/ld.so.cache'] : LIBRARY_DIRECTORIES.flatMap(filesIn(root));
  return sha256Of(files.map(stampOf).join('\n'));
}

const filesIn = (root: string) => (path: string) => {
  const directory = join(root, path);
  return readableNames(directory).map((name) => join(directory, name));
};

function readableNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Changes with the file. */
export function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  const real = found === undefined ? path : realpathSync(path);
  return `${real} ${found?.size ?? -1} ${found?.mtimeMs ?? 0}`;
}
