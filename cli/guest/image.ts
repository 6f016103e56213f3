import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, constants, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { Progress } from '../progress.js';
import { cacheKey, lookUpOrMake, type Store, storageFailure } from '../store/store.js';
import { librariesOf } from './libraries.js';
import { guestScripts, type Manifest, readManifest } from './manifest.js';
import { formatMtree, type MtreeEntry } from './mtree.js';
import { writeNewc } from './newc.js';
import { packageWithFile, programsOfPackage } from './packages.js';
import { type GuestPrograms, guestPrograms } from './programs.js';
import {
  contentOf,
  findProgramIn,
  HOST_USERLAND,
  librariesIdentity,
  ownerOf,
  pathInGuest,
  realpathIn,
  stampOf,
  type Userland,
} from './userland.js';

/**
 * The guest's root file system: an initramfs made of the programs of a userland, by default this
 * machine, without root. It consists of archives one after the other, as the kernel accepts them
 * (Documentation/driver-api/early-userspace/buffer-format.rst): programs and our scripts, which are
 * the same for every kernel; the modules of one kernel; and on request the user's tree of tests,
 * and programs for people (shell-archive.ts).
 *
 * None is compressed: unpacking costs an emulated guest more than reading costs the host.
 */

/** Raise it when an archive is made in another way from the same files. */
const LAYOUT = 2;

export interface ImageContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal;
  /** This machine's by default. */
  userland?: Userland | undefined;
}

export interface GuestImage {
  /** The file for QEMU's `-initrd`. */
  file: string;
  /** The name of its content in the cache. */
  key: string;
}

/**
 * The image for a kernel's modules.
 *
 * @param modules a directory with `lib/modules/<release>`; none for a kernel without modules
 * @param more archives of external tests, or of programs for people
 */
export async function guestImage(
  modules: string | undefined,
  context: ImageContext,
  more: readonly GuestImage[] = [],
): Promise<Outcome<GuestImage>> {
  const image = await imageWithModules(modules, context);
  // The last file of a path counts: the libraries of a package replace those of tests and programs.
  const packages = context.userland?.packages ?? [];
  const archives = [...more, ...packages.map(({ archive }) => archive)];
  if (!image.ok || archives.length === 0) return image;
  const suite = archives.map(({ key }) => key).join(' ');
  const key = cacheKey({ layout: LAYOUT, image: image.value.key, suite });
  const made = await lookUpOrMake(context.store, 'guest-image', key, (directory) => {
    const parts = [image.value.file, ...archives.map(({ file }) => file)];
    return concatenate(parts, join(directory, 'initramfs'), directory);
  });
  return made.ok ? success({ file: join(made.value, 'initramfs'), key }) : made;
}

async function concatenate(parts: string[], whole: string, place: string): Promise<Outcome<void>> {
  try {
    for (const part of parts) {
      await pipeline(createReadStream(part), createWriteStream(whole, { flags: 'a' }));
    }
    return success(undefined);
  } catch (error) {
    return storageFailure(place, error);
  }
}

async function imageWithModules(
  modules: string | undefined,
  context: ImageContext,
): Promise<Outcome<GuestImage>> {
  const root = await rootArchive(context);
  if (!root.ok) return root;
  if (modules === undefined) return root;
  const key = cacheKey({ layout: LAYOUT, root: root.value.key, modules: basename(modules) });
  const made = await lookUpOrMake(context.store, 'guest-image', key, async (directory) => {
    const archive = join(directory, 'modules.cpio');
    // The kernel does not create parent directories.
    const entries: MtreeEntry[] = [
      { type: 'dir', path: 'usr/lib/modules' },
      ...(await directoryEntries(join(modules, 'lib/modules'), 'usr/lib/modules')),
    ];
    const packed = await pack(entries, archive, directory, context.signal);
    if (!packed.ok) return packed;
    return concatenate([root.value.file, archive], join(directory, 'initramfs'), directory);
  });
  return made.ok ? success({ file: join(made.value, 'initramfs'), key }) : made;
}

async function rootArchive({
  store,
  progress,
  signal,
  userland = HOST_USERLAND,
}: ImageContext): Promise<Outcome<GuestImage>> {
  const manifest = readManifest();
  const located = locatePrograms(manifest, userland);
  if (!located.ok) return located;
  const own = await guestPrograms({
    store,
    userland,
    ...(signal ? { signal } : {}),
  });
  if (!own.ok) return own;
  const inputs = await identity(manifest, located.value, userland);
  const key = cacheKey({ ...inputs, layout: LAYOUT, 'our programs': own.value.key });
  const made = await lookUpOrMake(store, 'guest-root', key, async (directory) => {
    const text = `making the guest image from the programs of ${ownerOf(userland)}`;
    progress({ type: 'stage', text });
    const entries = await rootEntries(manifest, located.value, own.value, userland);
    if (!entries.ok) return entries;
    return pack(entries.value, join(directory, 'root.cpio'), directory, signal);
  });
  return made.ok ? success({ file: join(made.value, 'root.cpio'), key }) : made;
}

/** Program name → path. */
type Programs = Map<string, string>;

function locatePrograms({ programs }: Manifest, userland: Userland): Outcome<Programs> {
  const found: Programs = new Map();
  const missing: string[] = [];
  const elsewhere = new Set((userland.without ?? []).flatMap(programsOfPackage));
  const names = [...programs.required, ...programs.optional].filter((name) => !elsewhere.has(name));
  for (const name of names) {
    const file = findProgramIn(userland, name);
    if (file) found.set(name, file);
    else if (programs.required.includes(name)) missing.push(name);
  }
  return missing.length === 0
    ? success(found)
    : failure(
        'program-missing',
        `The guest image needs programs that ${ownerOf(userland)} lacks: ${missing.join(', ')}`,
        userland.root === ''
          ? 'Run `daxrepro setup`, or install them with the package manager'
          : 'Add their packages to it, or use another --userland',
      );
}

/** Everything that the archive depends on. Files count by size and time, unless the userland never changes. */
async function identity(
  manifest: Manifest,
  programs: Programs,
  userland: Userland,
): Promise<Record<string, string>> {
  const inputs: Record<string, string> = {};
  if (userland.without?.length) inputs['without'] = userland.without.join(' ');
  if (userland.key !== undefined) inputs['userland'] = userland.key;
  else {
    inputs['loader'] = librariesIdentity(userland);
    const copied = [...manifest.files, ...manifest.directories].map((path) => userland.root + path);
    for (const path of [...programs.values(), ...copied]) inputs[`host ${path}`] = stampOf(path);
  }
  const ours = fileURLToPath(guestScripts);
  for (const file of await readdir(ours, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const content = createHash('sha256').update(await readFile(path));
    inputs[`ours ${path.slice(ours.length)}`] = content.digest('hex');
  }
  return inputs;
}

async function rootEntries(
  manifest: Manifest,
  programs: Programs,
  own: GuestPrograms,
  userland: Userland,
): Promise<Outcome<MtreeEntry[]>> {
  const libraries = await librariesOf([...programs.values()], userland);
  if (!libraries.ok) return libraries;
  const tree = new Set<string>();
  const entries: MtreeEntry[] = [];
  const add = (entry: MtreeEntry) => {
    addParents(entries, tree, entry.path);
    if (tree.has(entry.path)) return;
    tree.add(entry.path);
    entries.push(entry);
  };
  for (const path of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'dev', 'proc', 'sys', 'tmp']) {
    add({ type: 'dir', path });
  }
  for (const path of ['run', 'root', 'mnt/test', 'mnt/scratch', 'var/tmp', 'etc', 'sys']) {
    add({ type: 'dir', path });
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    add({ type: 'link', path: name, target: `usr/${name}` });
  }
  add({ type: 'char', path: 'dev/console', major: 5, minor: 1 });

  const ours = await directoryEntries(fileURLToPath(guestScripts), 'daxrepro');
  for (const entry of ours) {
    // Our own /etc goes to /etc, and init to where the kernel looks for it.
    if (entry.path.startsWith('daxrepro/etc/')) entry.path = entry.path.slice('daxrepro/'.length);
    if (entry.path === 'daxrepro/init') entry.path = 'init';
    // Sources; the programs made from them are added instead.
    if (entry.path.startsWith('daxrepro/programs/')) continue;
    add(entry);
  }
  for (const [name, content] of own.files) {
    add({ type: 'file', path: `daxrepro/programs/${name}`, content, mode: 0o755 });
  }

  const places = [...programs].map(([name, file]) => ({
    path: `${/\/sbin$/.test(dirname(file)) ? 'usr/sbin' : 'usr/bin'}/${name}`,
    file,
  }));
  for (const entry of await programEntries(places, libraries.value, userland)) add(entry);
  for (const path of manifest.files.filter((one) => isOwn(userland, one))) {
    const file = realpathIn(userland.root, path);
    const readable = await access(file, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (readable) add({ type: 'file', path: path.slice(1), content: file, mode: 0o644 });
  }
  for (const directory of manifest.directories.filter((one) => isOwn(userland, one))) {
    const source = realpathIn(userland.root, directory);
    for (const entry of await directoryEntries(source, directory.slice(1))) add(entry);
  }
  return success(entries);
}

/** Whether a file or directory is not one of a package that comes from somewhere else. */
function isOwn({ without = [] }: Userland, path: string): boolean {
  const owner = packageWithFile(path);
  return owner === undefined || !without.includes(owner);
}

/**
 * Programs of the userland at their paths in the guest, and the libraries that they load. Several names
 * of one program (mke2fs, mkfs.ext4) become links to the first.
 */
export async function programEntries(
  programs: readonly { path: string; file: string }[],
  libraries: readonly string[],
  userland: Userland,
): Promise<MtreeEntry[]> {
  const entries: MtreeEntry[] = [];
  const firstNames = new Map<string, string>();
  for (const { path, file } of programs) {
    const content = contentOf(userland, file);
    const first = firstNames.get(content);
    if (first) entries.push({ type: 'link', path, target: `/${first}` });
    else entries.push({ type: 'file', path, content, mode: 0o755 });
    firstNames.set(content, first ?? path);
  }
  for (const library of libraries) {
    const content = contentOf(userland, library);
    entries.push({ type: 'file', path: pathInGuest(userland, library), content, mode: 0o755 });
  }
  return entries;
}

/** Changes with the programs and files that every image of this userland contains. */
export async function identityOfRoot(userland: Userland): Promise<Outcome<string>> {
  const manifest = readManifest();
  const located = locatePrograms(manifest, userland);
  return located.ok
    ? success(cacheKey(await identity(manifest, located.value, userland)))
    : located;
}

/** The libraries of the programs that every image contains. */
export async function librariesOfRoot(userland: Userland): Promise<Outcome<string[]>> {
  const located = locatePrograms(readManifest(), userland);
  return located.ok ? librariesOf([...located.value.values()], userland) : located;
}

/** The libraries that these programs load and an image does not have already. */
export async function librariesBeyondRoot(
  programs: readonly string[],
  userland: Userland,
): Promise<Outcome<string[]>> {
  if (programs.length === 0) return success([]);
  const [wanted, there] = await Promise.all([
    librariesOf(programs, userland),
    librariesOfRoot(userland),
  ]);
  if (!wanted.ok || !there.ok) return wanted.ok ? there : wanted;
  return success(wanted.value.filter((library) => !there.value.includes(library)));
}

/** The names of the programs that an image has without being asked for more. */
export function programsOfRoot(userland: Userland): ReadonlySet<string> {
  const located = locatePrograms(readManifest(), userland);
  const elsewhere = (userland.without ?? []).flatMap(programsOfPackage);
  return new Set([...(located.ok ? located.value.keys() : []), ...elsewhere]);
}

export function addParents(entries: MtreeEntry[], tree: Set<string>, path: string): void {
  const parent = dirname(path);
  if (parent === '.' || tree.has(parent)) return;
  addParents(entries, tree, parent);
  tree.add(parent);
  entries.push({ type: 'dir', path: parent });
}

/** Copies a directory's files and folders to another path of the image, following links. */
export async function directoryEntries(directory: string, path: string): Promise<MtreeEntry[]> {
  const entries: MtreeEntry[] = [];
  const listed = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const { name } of listed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const source = join(directory, name);
    const target = join(path, name);
    const information = await stat(source).catch(() => undefined);
    if (information?.isDirectory()) {
      entries.push({ type: 'dir', path: target });
      entries.push(...(await directoryEntries(source, target)));
    } else if (information?.isFile()) {
      const mode = information.mode & 0o111 ? 0o755 : 0o644;
      entries.push({ type: 'file', path: target, content: source, mode });
    }
  }
  return entries;
}

/** Packs entries as an archive, by default "newc" cpio. Needs no root for owners and devices. */
export async function pack(
  entries: MtreeEntry[],
  archive: string,
  directory: string,
  signal: AbortSignal | undefined,
  format: 'newc' | 'ustar' = 'newc',
): Promise<Outcome<void>> {
  if (format === 'ustar') return packTar(entries, archive, directory, signal);
  try {
    await writeNewc(entries, archive);
    return success(undefined);
  } catch (error) {
    const { path, code, message } = error as NodeJS.ErrnoException;
    const source = entries.some((one) => one.type === 'file' && one.content === path);
    if (!source || code === undefined) return storageFailure(directory, error);
    return failure(
      'unreadable',
      `A file for the guest image cannot be read: ${message}`,
      'Make it readable',
      { place: { file: path ?? '' } },
    );
  }
}

/** With bsdtar. */
async function packTar(
  entries: MtreeEntry[],
  archive: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Outcome<void>> {
  const description = join(directory, 'content.mtree');
  // bsdtar also looks in its own directory for what it packs, and prefers what it finds there.
  const nowhere = join(directory, 'empty');
  try {
    await writeFile(description, formatMtree(entries));
    await mkdir(nowhere, { recursive: true });
  } catch (error) {
    return storageFailure(directory, error);
  }
  const packed = await runTool(['bsdtar', '--format=ustar', '-cf', archive, `@${description}`], {
    cwd: nowhere,
    ...(signal ? { signal } : {}),
  });
  return packed.ok
    ? success(undefined)
    : failure(
        'tool-failed',
        `The guest image could not be packed: ${packed.summary}`,
        "Look at bsdtar's message; a full disk is the usual reason",
        { detail: packed.all.slice(-2000) },
      );
}
