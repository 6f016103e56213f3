import { runTool } from '../process/child.js';
import { findVersion } from '../system/versions.js';
import { LOADER } from './libraries.js';
import { packageWith } from './packages.js';
import { contentOf, findProgramIn, libraryPath, realpathIn, type Userland } from './userland.js';

/** The version that a program of a guest prints for `-V`: `1.47.0`. undefined if it prints none. */
export async function versionIn(userland: Userland, program: string): Promise<string | undefined> {
  const owner = packageWith(program);
  const own = userland.packages?.find(({ name }) => name === owner);
  if (own) return own.version;
  const file = findProgramIn(userland, program);
  if (file === undefined) return undefined;
  return printedVersion(startArgv(userland, file));
}

/** The version that a command prints for `-V`. */
export async function printedVersion(
  argv: [string, ...string[]],
  more: Record<string, string> = {},
): Promise<string | undefined> {
  const env = { LC_ALL: 'C', ...more };
  const asked = await runTool([...argv, '-V'], { env, timeout: 10_000 });
  return findVersion(asked.all.split('\n')[0] ?? '');
}

/** Another system's program starts here with its own dynamic linker and libraries. */
function startArgv(userland: Userland, file: string): [string, ...string[]] {
  const { root } = userland;
  if (root === '') return [file];
  return [
    realpathIn(root, LOADER),
    '--library-path',
    libraryPath(userland),
    contentOf(userland, file),
  ];
}
