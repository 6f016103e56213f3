import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  addParents,
  directoryEntries,
  identityOfRoot,
  pack,
  programEntries,
} from '../guest/image.js';
import { isElf, LOADER } from '../guest/libraries.js';
import type { MtreeEntry } from '../guest/mtree.js';
import {
  contentsOfPackage,
  type GuestPackage,
  type PackageName,
  type PackageSource,
  programsOfPackage,
} from '../guest/packages.js';
import { printedVersion } from '../guest/tool-versions.js';
import {
  contentOf,
  findProgramIn,
  libraryPath,
  realpathIn,
  type Userland,
} from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { z } from '../schema.js';
import { sha256Of } from '../sha256.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import { describeTree } from '../system/git-describe.js';
import { findInTree } from './build-tree.js';
import type { PackageFiles } from './package-files.js';
import { librariesForPackage, librariesIn } from './package-libraries.js';
import type { UserlandContext } from './packages.js';
import { fetchSuitePackage } from './suite-package.js';

/** A package of a build tree, of a Debian suite or of a kept run, as an archive for the guest. */

/** @param base the userland without the package */
export async function packPackage(
  name: PackageName,
  source: PackageSource,
  base: Userland,
  context: UserlandContext,
): Promise<Outcome<GuestPackage>> {
  if (source.type === 'kept') {
    const { from, version, file } = source;
    const key = sha256Of(await readFile(file));
    return success({ name, from, version, archive: { file, key }, keep: true });
  }
  const located = await (source.type === 'tree'
    ? locateTree(name, source.directory)
    : locateInSuite(name, source, context));
  if (!located.ok) return located;
  const made = await makeArchive(name, located.value, base, context);
  if (!made.ok) return made;
  const { from, contentKey } = located.value;
  return success({
    ...{ name, ...made.value },
    // For a tree, what ran is known only by its content.
    from: contentKey === undefined ? from : `${from} (${contentKey.slice(0, 12)})`,
    keep: source.type === 'tree',
  });
}

interface Located {
  from: string;
  files: PackageFiles;
  /** For a tree: the hash of its files. */
  contentKey?: string;
  /** The system that comes with a package of Debian. */
  system?: Userland & { key: string };
}

async function locateTree(name: PackageName, directory: string): Promise<Outcome<Located>> {
  const files = findInTree(name, directory);
  if (!files.ok) return files;
  const described = await describeTree(directory);
  const contents = await contentsOf(files.value);
  if (!contents.ok) return contents;
  const from = described === undefined ? directory : `${directory} ${described}`;
  return success({ from, files: files.value, contentKey: contents.value });
}

async function contentsOf({ programs, files, libraries }: PackageFiles): Promise<Outcome<string>> {
  const named = [...programs, ...files, ...libraries.map((file) => [basename(file), file])];
  const hashes = new Map<string, string>();
  const lines: string[] = [];
  for (const [path = '', file = ''] of named) {
    try {
      if (!hashes.has(file)) hashes.set(file, sha256Of(await readFile(file)));
    } catch (error) {
      const { message } = error as NodeJS.ErrnoException;
      return failure('unreadable', `${file} cannot be read: ${message}`, 'Make it readable', {
        place: { file },
      });
    }
    lines.push(`${path} ${hashes.get(file)}\n`);
  }
  return success(sha256Of(lines.sort().join('')));
}

async function locateInSuite(
  name: PackageName,
  source: PackageSource & { type: 'suite' },
  context: UserlandContext,
): Promise<Outcome<Located>> {
  const { suite } = source;
  const fetched = await fetchKept(name, source, context);
  if (!fetched.ok) return fetched;
  const { system } = fetched.value;
  const { files, directories } = contentsOfPackage(name);
  const programs = new Map<string, string>();
  for (const program of programsOfPackage(name)) {
    const file = findProgramIn(system, program);
    if (file !== undefined) programs.set(program, file);
  }
  const copied = new Map<string, string>();
  for (const path of Object.keys(files)) copied.set(path, realpathIn(system.root, path));
  for (const path of Object.keys(directories)) {
    for (const [one, file] of await filesBelow(system, path)) copied.set(one, file);
  }
  return success({
    from: `debian:${suite}=${fetched.value.version}`,
    files: { programs, files: copied, libraries: librariesIn(name, system) },
    system,
  });
}

/** A kept run names a version that the mirror may no longer have. */
async function fetchKept(
  name: PackageName,
  { suite, version, orNewest }: PackageSource & { type: 'suite' },
  context: UserlandContext,
): ReturnType<typeof fetchSuitePackage> {
  const wanted = version === undefined ? { suite } : { suite, version };
  const fetched = await fetchSuitePackage(name, wanted, context);
  if (fetched.ok || !orNewest || fetched.failure.kind !== 'usage') return fetched;
  const text = `${fetched.failure.message}; using ${name} of debian:${suite} as it is now`;
  context.progress({ type: 'note', text });
  return fetchSuitePackage(name, { suite }, context);
}

async function filesBelow(system: Userland, path: string): Promise<[string, string][]> {
  const entries = await directoryEntries(realpathIn(system.root, path), path);
  return entries.flatMap((one): [string, string][] =>
    one.type === 'file' ? [[one.path, one.content]] : [],
  );
}

const FactsSchema = z.object({ version: z.string().optional() });

async function makeArchive(
  name: PackageName,
  { files, contentKey, system }: Located,
  base: Userland,
  { store, progress, signal }: UserlandContext,
): Promise<Outcome<Pick<GuestPackage, 'archive' | 'version'>>> {
  const root = await identityOfRoot(base);
  if (!root.ok) return root;
  const content = contentKey ?? system?.key ?? '';
  const key = cacheKey({ layout: 2, name, content, root: root.value });
  const made = await lookUpOrMake(store, 'guest-package', key, async (directory) => {
    progress({ type: 'stage', text: `adding ${name} to the guest image` });
    const request = { name, files, base, system, scratch: directory };
    const libraries = await librariesForPackage(request);
    if (!libraries.ok) return libraries;
    const version = await versionOf(name, files, system, join(directory, 'own'));
    const entries = await entriesOf(files, libraries.value, system ?? base);
    const stripped = system ? entries : await withoutDebugInformation(entries, directory);
    const packed = await pack(stripped, join(directory, 'package.cpio'), directory, signal);
    if (!packed.ok) return packed;
    const now = contentKey === undefined ? success('') : await contentsOf(files);
    if (!now.ok || now.value !== (contentKey ?? '')) return changedMeanwhile(name);
    await writeFile(join(directory, 'facts.json'), JSON.stringify({ version }));
    for (const rest of ['own', 'stripped']) {
      await rm(join(directory, rest), { recursive: true, force: true });
    }
    return success(undefined);
  });
  if (!made.ok) return made;
  const facts = FactsSchema.parse(
    JSON.parse(await readFile(join(made.value, 'facts.json'), 'utf8')),
  );
  return success({
    archive: { file: join(made.value, 'package.cpio'), key },
    version: facts.version,
  });
}

function changedMeanwhile(name: PackageName) {
  return failure(
    'unreadable',
    `The programs of ${name} changed while they were packed for the guest`,
    'Start it again when make has ended',
  );
}

/** The version that the package's program prints here. */
function versionOf(
  name: PackageName,
  { programs }: PackageFiles,
  system: Userland | undefined,
  own: string,
): Promise<string | undefined> {
  const program = programs.get(contentsOfPackage(name).version) ?? '';
  if (!system) return printedVersion([program], { LD_LIBRARY_PATH: own });
  const loader = realpathIn(system.root, LOADER);
  return printedVersion([
    loader,
    '--library-path',
    libraryPath(system),
    contentOf(system, program),
  ]);
}

async function entriesOf(
  { programs, files }: PackageFiles,
  libraries: ReadonlyMap<string, string>,
  owner: Userland,
): Promise<MtreeEntry[]> {
  const entries: MtreeEntry[] = [];
  const there = new Set<string>();
  const add = (entry: MtreeEntry) => {
    addParents(entries, there, entry.path);
    entries.push(entry);
  };
  const places = [...programs].map(([program, file]) => ({ path: `usr/sbin/${program}`, file }));
  const byName = places.sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const entry of await programEntries(byName, [], owner)) add(entry);
  for (const [path, file] of [...libraries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    add({ type: 'file', path, content: contentOf(owner, file), mode: 0o755 });
  }
  for (const [path, file] of files) {
    add({ type: 'file', path: path.slice(1), content: file, mode: 0o644 });
  }
  return entries;
}

/** A developer's programs have ten times the size of their code. The guest has no debugger. */
async function withoutDebugInformation(
  entries: readonly MtreeEntry[],
  directory: string,
): Promise<MtreeEntry[]> {
  const place = join(directory, 'stripped');
  const stripped: MtreeEntry[] = [];
  await mkdir(place);
  for (const entry of entries) {
    if (entry.type !== 'file' || !isElf(await readFile(entry.content))) {
      stripped.push(entry);
      continue;
    }
    const content = join(place, String(stripped.length));
    const argv = ['strip', '--strip-debug', '-o', content, entry.content] as const;
    const done = await runTool([...argv]);
    stripped.push(done.ok ? { ...entry, content } : entry);
  }
  return stripped;
}
