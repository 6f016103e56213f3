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
  const newer = /version `([^']+)' not found \(required by (\S+)\)/.exec(listed.stderr);
  if (newer && userland.root !== '') {
    return failure(
      'usage',
      `${newer[2]} needs ${newer[1]}, and the libraries of ${userland.name} are older`,
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
  const places = libraryPath(userland);
  const listed: Listed = { stdout: '', stderr: '' };
  for (const program of new Set(programs.map((file) => contentOf(userland, file)))) {
    if (!(await isElfFile(program))) continue;
    const { stdout, stderr } = await runTool(
      [loader, '--inhibit-cache', '--library-path', places, '--list', program],
      { env: { LC_ALL: 'C' } },
    );
    listed.stdout += `${stdout}\n`;
    listed.stderr += `${stderr}\n`;
  }
  return listed;
}

/** Whether a file that begins with these bytes is a program or a library. */
export function isElf(start: Buffer): boolean {
  return start.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
}

async function isElfFile(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return isElf(buffer);
  } finally {
    await handle.close();
  }
}
