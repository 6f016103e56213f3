import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { cacheKey, lookUpOrMake, type Store } from '../store/store.js';
import { findCompiler } from '../system/compiler.js';
import { guestScripts } from './manifest.js';
import { HOST_USERLAND, type Userland } from './userland.js';

/**
 * Our own programs for the guest (a folder of `guest-scripts/programs` each), compiled on this
 * machine whenever their sources change. Linked without libraries, so that they start quickly under
 * emulation, and at fixed addresses, so that their addresses can be named.
 */
export interface GuestPrograms {
  /** Changes with the programs; `none` if there are none. */
  key: string;
  /** Path by name; empty if this machine cannot compile them. */
  files: Map<string, string>;
  /** Why it cannot: one clause without the full stop. */
  missing?: string;
}

const SOURCES = new URL('programs/', guestScripts);

const FLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-static', '-no-pie', '-pthread'];

interface ImageSource {
  store: Store;
  signal?: AbortSignal;
  /** This machine's by default. */
  userland?: Userland | undefined;
}

export async function guestPrograms({
  store,
  signal,
  userland = HOST_USERLAND,
}: ImageSource): Promise<Outcome<GuestPrograms>> {
  const own = await findCompiler('gcc');
  const compiler = userland.compiler ?? (own && { ...own, flags: [], root: undefined });
  if (!compiler) return success(without('this machine has no C compiler'));
  const all = await readdir(SOURCES, { recursive: true });
  const sources = all.filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of sources) {
    hash.update(`${name}\n`).update(await readFile(new URL(name, SOURCES)));
  }
  const units = sources.filter((name) => name.endsWith('.c'));
  const programs = [...new Set(units.map((name) => dirname(name)))];
  const key = cacheKey({
    layout: 4,
    sources: hash.digest('hex'),
    compiler: compiler.identity,
    flags: FLAGS.join(' '),
  });
  const sourcesDirectory = fileURLToPath(SOURCES);
  // So that they are the same wherever daxrepro and its cache are.
  const moved = [
    `-ffile-prefix-map=${sourcesDirectory.replace(/\/$/, '')}=programs`,
    ...(compiler.root === undefined ? [] : [`-ffile-prefix-map=${compiler.root}=compiler`]),
  ];
  const made = await lookUpOrMake(store, 'guest-programs', key, async (directory) => {
    for (const name of programs) {
      const files = units
        .filter((unit) => dirname(unit) === name)
        .map((unit) => fileURLToPath(new URL(unit, SOURCES)));
      const compiled = await runTool(
        [
          compiler.path,
          ...FLAGS,
          ...moved,
          ...compiler.flags,
          '-o',
          join(directory, name),
          ...files,
        ],
        { cwd: sourcesDirectory, env: { LC_ALL: 'C' }, ...(signal ? { signal } : {}) },
      );
      if (compiled.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
      if (compiled.ok) continue;
      return failure(
        'build-failed',
        `${compiler.program} cannot compile the guest's program ${name}`,
        "Install the C library's static version (Debian: libc6-dev, Fedora: glibc-static)",
        { detail: compiled.all.slice(-2000) },
      );
    }
    return success(undefined);
  });
  if (!made.ok) {
    const { kind, message } = made.failure;
    return kind === 'build-failed' ? success(without(message)) : made;
  }
  return success({ key, files: new Map(programs.map((name) => [name, join(made.value, name)])) });
}

function without(missing: string): GuestPrograms {
  return { key: 'none', files: new Map(), missing };
}
