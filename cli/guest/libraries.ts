import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { contentOf, libraryPath, realpathIn, type Userland } from './userland.js';

/** The shared libraries of programs for the guest. */

/** The path of the dynamic linker that is part of every program (System V ABI for x86-64). */
export const LOADER = '/lib64/ld-linux-x86-64.so.2';

/** The shared libraries that these programs load; scripts have none. Starts none of the programs. */
export async function librariesOf(
  programs: readonly string[],
  userland: Userland,
): Promise<Outcome<string[]>> {
  const listed = await (userland.root === '' ? askLdd(programs) : askLoader(programs, userland));
  const libraries = new Set<string>();
  const missing = new Set<string>();
  for (const line of listed.stdout.split('\n')) {
    const [, name = '', file] = /^\s+(\S+) (?:=> (\S+) )?\(0x/.exec(line) ?? [];
    const lost = /^\s+(\S+) => not found/.exec(line)?.[1];
    if (lost !== undefined) missing.add(lost);
    else if (name === LOADER) libraries.add(join(userland.root, LOADER));
    // The linker of another system also finds this machine's libraries.
    else if (file !== undefined && !file.startsWith(`${userland.root}/`)) missing.add(name);
    else if (file !== undefined) libraries.add(file);
  }
  const [, version, by] = tooOld(listed.stderr);
  if (version !== undefined && userland.root !== '') {
    return failure(
      'usage',
      `${by} needs ${version}, and the libraries of ${userland.name} are older`,
      'Use a newer --userland, or compile it on an older system',
    );
  }
  // Loaded by name at run time, when a thread is cancelled.
  for (const library of [...libraries].filter((path) => basename(path).startsWith('libc.so'))) {
    const unwinder = join(dirname(library), 'libgcc_s.so.1');
    if (await stat(unwinder).catch(() => undefined)) libraries.add(unwinder);
  }
  return missing.size === 0 && libraries.size > 0
    ? success([...libraries].sort())
    : failure(
        'tool-failed',
        missing.size > 0
          ? `Programs for the guest lack libraries: ${[...missing].join(', ')}`
          : 'the libraries of the programs for the guest could not be listed',
        'Reinstall the packages they come from',
        { detail: listed.stderr.slice(-2000) },
      );
}

interface Listed {
  stdout: string;
  stderr: string;
}

function askLdd(programs: readonly string[]): Promise<Listed> {
  return runTool(['ldd', ...programs], { env: { LC_ALL: 'C' } });
}

/** The other system's linker prints the same lines for one program at a time. */
async function askLoader(programs: readonly string[], userland: Userland): Promise<Listed> {
  const { root } = userland;
  const loader = realpathIn(root, LOADER);
  const files = programs.map((file) => contentOf(userland, file));
  return listWith([loader, '--inhibit-cache', '--library-path', libraryPath(userland)], files);
}

async function listWith(linker: readonly string[], programs: readonly string[]): Promise<Listed> {
  const [loader = '', ...options] = linker;
  const listed: Listed = { stdout: '', stderr: '' };
  for (const program of new Set(programs)) {
    if (!(await isElfFile(program))) continue;
    const { stdout, stderr } = await runTool([loader, ...options, '--list', program], {
      env: { LC_ALL: 'C' },
    });
    listed.stdout += `${stdout}\n`;
    listed.stderr += `${stderr}\n`;
  }
  return listed;
}

export interface LinkedLibraries {
  /** Without the dynamic linker. */
  files: string[];
  /** Names. */
  missing: string[];
  /** A library is too old: what is needed, and by which file. */
  newer?: { version: string; by: string };
}

/**
 * The libraries that programs load with this dynamic linker.
 *
 * @param places directories, the first one with a library wins; this machine's own come last
 */
export async function linkedLibraries(
  programs: readonly string[],
  { loader, places }: { loader: string; places: readonly string[] },
): Promise<LinkedLibraries> {
  const { stdout, stderr } = await listWith([loader, '--library-path', places.join(':')], programs);
  const lines = stdout.split('\n');
  const found = lines.flatMap((line) => {
    const [, name, file] = /^\s+(\S+) => (\S+) \(0x/.exec(line) ?? [];
    return name !== undefined && name !== LOADER && file !== undefined ? [file] : [];
  });
  const missing = lines.flatMap((line) => /^\s+(\S+) => not found/.exec(line)?.[1] ?? []);
  const [, version, by] = tooOld(stderr);
  return {
    files: [...new Set(found)],
    missing: [...new Set(missing)],
    ...(version !== undefined && by !== undefined ? { newer: { version, by } } : {}),
  };
}

/** What the dynamic linker says about a library without a version that is needed, and the file that needs it. */
function tooOld(stderr: string): string[] {
  return /version `([^']+)' not found \(required by (\S+)\)/.exec(stderr) ?? [];
}

/** Whether a file that begins with these bytes is a program or a library. */
export function isElf(start: Buffer): boolean {
  return start.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
}

export async function isElfFile(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return isElf(buffer);
  } finally {
    await handle.close();
  }
}
