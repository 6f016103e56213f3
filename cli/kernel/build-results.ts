import { access, copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { extractVmlinux } from './boot-image.js';
import { readBzImage } from './bzimage.js';
import { configured } from './configuration.js';
import { depmod } from './depmod.js';
import { RECIPES } from './recipes.js';

/**
 * What a full build leaves in the cache, apart from its workspace:
 *
 *     boot/vmlinuz-<release>, vmlinux   the image; no vmlinux if QEMU cannot enter it
 *     lib/modules/<release>/            with modules.dep
 *     symbols/vmlinux                   the vmlinux with symbols, for a debugger
 *     headers/                          for building modules later, as Debian packages them
 *     source/fs/ext2 …                  the sources of those modules
 */
export interface BuiltTree {
  source: string;
  build: string;
  /** Where the results go; `make modules_install` has written there already. */
  directory: string;
}

/** @returns the release */
export async function collectResults(
  { source, build, directory }: BuiltTree,
  signal?: AbortSignal,
): Promise<Outcome<string>> {
  const made = join(build, 'arch/x86/boot/bzImage');
  const image = await readBzImage(made).catch(() => undefined);
  if (!image) {
    return failure(
      'build-failed',
      'make succeeded but made no image, arch/x86/boot/bzImage',
      'Check whether the tree builds by itself: make bzImage',
    );
  }
  const { release } = image;
  const kept = join(directory, 'boot', `vmlinuz-${release}`);
  await mkdir(dirname(kept), { recursive: true });
  await copyFile(made, kept);
  const extracted = await extractVmlinux(kept, join(directory, 'vmlinux'), signal);
  if (!extracted.ok) return extracted;
  // For a debugger: the vmlinux from the image has no symbols.
  await copyWhereThere(join(build, 'vmlinux'), join(directory, 'symbols/vmlinux'));
  const modules = join(directory, 'lib/modules', release);
  await mkdir(modules, { recursive: true });
  // Links to the workspace. Nobody may follow them.
  for (const link of ['build', 'source']) await rm(join(modules, link), { force: true });
  const configuration = await readFile(join(build, '.config'), 'utf8');
  if (configured(configuration, 'MODULES') !== 'y') await listBuiltIn(modules, configuration);
  const indexed = await depmod(directory, release, signal);
  if (!indexed.ok) return indexed;
  await collectHeaders(source, build, join(directory, 'headers'));
  for (const { subdirectory } of Object.values(RECIPES)) {
    await copyWhereThere(join(source, subdirectory), join(directory, 'source', subdirectory));
  }
  return success(release);
}

/** A tree without modules installs no list of what is built in. */
async function listBuiltIn(modules: string, configuration: string): Promise<void> {
  const symbols = { ext2: 'EXT2_FS', ext4: 'EXT4_FS', xfs: 'XFS_FS' };
  const lines = Object.entries(symbols)
    .filter(([, symbol]) => configured(configuration, symbol) === 'y')
    .map(([name]) => `kernel/fs/${name}/${name}.ko\n`);
  await writeFile(join(modules, 'modules.builtin'), lines.join(''));
  await writeFile(join(modules, 'modules.order'), '');
}

/**
 * A tree for `make -C … M=…`: the sources that a build of modules reads, overlaid with what the
 * build has generated (like the kernel's scripts/package/install-extmod-build).
 */
async function collectHeaders(source: string, build: string, headers: string): Promise<void> {
  await mkdir(headers, { recursive: true });
  const ofSource = ['Makefile', 'Kbuild', 'include', 'scripts', 'arch/x86/include'];
  for (const name of await readdir(join(source, 'arch/x86')).catch(() => [])) {
    if (name.startsWith('Makefile')) ofSource.push(`arch/x86/${name}`);
  }
  for (const path of ofSource) await copyWhereThere(join(source, path), join(headers, path));
  const ofBuild = [
    '.config',
    'Module.symvers',
    'include/config',
    'include/generated',
    'arch/x86/include/generated',
    'scripts',
    'tools/objtool/objtool',
  ];
  for (const path of ofBuild) await copyWhereThere(join(build, path), join(headers, path));
  // A build without modules makes none, but make wants to read it.
  const symvers = join(headers, 'Module.symvers');
  if (!(await exists(symvers))) await writeFile(symvers, '');
}

async function copyWhereThere(from: string, to: string): Promise<void> {
  if (!(await exists(from))) return;
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, {
    recursive: true,
    force: true,
    verbatimSymlinks: true,
    filter: (path) => !/\.(o|a|cmd)$|\/\.git(ignore)?$/.test(path),
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
