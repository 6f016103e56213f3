import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, mkdir, open, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { release as hostRelease } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { cacheKey, directoriesIn, lookUpOrMake } from '../store/store.js';
import { extractVmlinux, hasPvhEntry } from './boot-image.js';
import { isRelease, readBzImage } from './bzimage.js';
import { depmod } from './depmod.js';
import { isElf } from './elf.js';
import type { Kernel, KernelContext } from './kernel.js';

/** Kernels that are already on this machine: `image:…` and `host`. */

/** `image:BZIMAGE[,MODULES-DIR]` */
export async function resolveImage(
  spec: string,
  request: { image: string; modules?: string },
  context: KernelContext,
): Promise<Outcome<Kernel>> {
  const image = resolve(request.image);
  const checked = await checkFile(image);
  if (!checked.ok) return checked;
  const identified = await identify(image);
  if (!identified.ok) return identified;
  const found: Found = { spec, image, ...identified.value };
  if (request.modules !== undefined) {
    const modules = await findModules(resolve(request.modules), found.release, image);
    if (!modules.ok) return modules;
    found.modules = modules.value;
  }
  return complete(found, context);
}

/** `host`: the kernel that runs on this machine. */
export async function resolveHost(spec: string, context: KernelContext): Promise<Outcome<Kernel>> {
  const release = hostRelease();
  const image = `/boot/vmlinuz-${release}`;
  const checked = await checkFile(image);
  if (!checked.ok) {
    if (checked.failure.kind !== 'unreadable') return checked;
    const remedy = (await exists(image))
      ? `Make it readable (\`sudo chmod a+r ${image}\`), or use --kernel debian:6.1`
      : 'Use --kernel debian:6.1, or image:BZIMAGE with an image that exists';
    return { ok: false, failure: { ...checked.failure, remedy } };
  }
  const bzImage = await readBzImage(image);
  if (!bzImage) return notAnImage(image);
  const directory = `/lib/modules/${release}`;
  const modules = (await exists(directory)) ? { modules: directory } : {};
  return complete({ spec, release, image, compressed: true, ...modules }, context);
}

interface Found {
  spec: string;
  release: string;
  image: string;
  /** It is a bzImage, not a vmlinux. */
  compressed: boolean;
  modules?: string;
}

async function complete(found: Found, context: KernelContext): Promise<Outcome<Kernel>> {
  const { spec, release, image } = found;
  const imageHash = await sha256(image);
  const bootImage = found.compressed
    ? await bootImageFor(image, imageHash, context)
    : success(image);
  if (!bootImage.ok) return bootImage;
  const kernel: Kernel = {
    spec,
    release,
    id: cacheKey({ image: imageHash }),
    image,
    bootImage: bootImage.value,
  };
  if (found.modules === undefined) return success(kernel);
  const identity = await modulesIdentity(found.modules);
  kernel.id = cacheKey({ image: imageHash, modules: identity });
  const modules = await withModulesDep(found.modules, release, identity, context);
  return modules.ok ? success({ ...kernel, modules: modules.value }) : modules;
}

/** The vmlinux in the image, from the cache; the image itself if QEMU cannot enter its vmlinux. */
export async function bootImageFor(
  image: string,
  imageHash: string,
  { store, signal }: KernelContext,
): Promise<Outcome<string>> {
  const entry = await lookUpOrMake(
    store,
    'kernel-vmlinux',
    cacheKey({ image: imageHash }),
    (directory) => extractVmlinux(image, join(directory, 'vmlinux'), signal),
  );
  if (!entry.ok) return entry;
  const vmlinux = join(entry.value, 'vmlinux');
  return success((await exists(vmlinux)) ? vmlinux : image);
}

async function checkFile(file: string): Promise<Outcome<undefined>> {
  try {
    const status = await stat(file);
    if (!status.isFile()) {
      const what = status.isDirectory() ? 'a directory' : 'a device or similar';
      return failure('unreadable', `${file} is ${what}, not a kernel image`, NAME_AN_IMAGE);
    }
    await access(file, constants.R_OK);
    return success(undefined);
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    return missing
      ? failure('unreadable', `There is no kernel image ${file}`, NAME_AN_IMAGE)
      : failure('unreadable', `The kernel image ${file} cannot be read`, 'Make it readable');
  }
}

const NAME_AN_IMAGE =
  'Name a bzImage, for example arch/x86/boot/bzImage of a built tree or /boot/vmlinuz-*';

function notAnImage(file: string) {
  return failure('unreadable', `${file} is not an x86 kernel image`, NAME_AN_IMAGE);
}

/** Reads the type of the file and the release. */
async function identify(image: string): Promise<Outcome<{ release: string; compressed: boolean }>> {
  const bzImage = await readBzImage(image);
  if (bzImage) return success({ release: bzImage.release, compressed: true });
  if (!(await startsAsElf(image))) return notAnImage(image);
  const vmlinux = await readFile(image);
  const release = vmlinuxRelease(vmlinux);
  if (release === undefined) return notAnImage(image);
  if (!hasPvhEntry(vmlinux)) {
    return failure(
      'unreadable',
      `${image} is a vmlinux without an entry for virtual machines (CONFIG_PVH is off)`,
      'Give the bzImage, arch/x86/boot/bzImage of the same tree',
    );
  }
  return success({ release, compressed: false });
}

async function startsAsElf(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const start = Buffer.alloc(64);
    await handle.read(start, 0, start.length, 0);
    return isElf(start);
  } finally {
    await handle.close();
  }
}

/** Reads the banner that every kernel contains: `Linux version 6.1.0 (…`. */
export function vmlinuxRelease(vmlinux: Buffer): string | undefined {
  const banner = 'Linux version ';
  for (let at = vmlinux.indexOf(banner); at >= 0; at = vmlinux.indexOf(banner, at + 1)) {
    const start = at + banner.length;
    const release = vmlinux.toString('latin1', start, start + 128).match(/^(\S+) \(/)?.[1];
    if (release && isRelease(release)) return release;
  }
  return undefined;
}

/** `directory` itself or lib/modules/<release> below it, whichever is for this release. */
async function findModules(
  directory: string,
  release: string,
  image: string,
): Promise<Outcome<string>> {
  const below = join(directory, 'lib/modules', release);
  if (await exists(below)) return success(below);
  if (await exists(join(directory, 'kernel'))) {
    const other = await releaseOfModules(directory);
    if (other === release) return success(directory);
    return otherRelease(`The modules in ${directory} are for ${other}`, image, release);
  }
  const others = await directoriesIn(join(directory, 'lib/modules'));
  if (others.length > 0) {
    return otherRelease(`${directory} has modules for ${others.join(', ')}`, image, release);
  }
  return failure(
    'unreadable',
    `${directory} has no kernel modules`,
    `Give a directory like /lib/modules/${release}, or one that contains lib/modules/${release}`,
  );
}

function otherRelease(modules: string, image: string, release: string) {
  return failure(
    'unreadable',
    `${modules}, but ${image} is ${release}`,
    'Give the modules that were built with this image',
  );
}

/**
 * Goes by the directory's name, which an installation sets. A copy may be named otherwise: then by
 * one of its modules.
 */
async function releaseOfModules(directory: string): Promise<string> {
  const files = await readdir(join(directory, 'kernel'), { recursive: true });
  const module = files.find((name) => /\.ko(\.(xz|zst|gz))?$/.test(name));
  if (module === undefined) return basename(directory);
  const path = join(directory, 'kernel', module);
  const asked = await runTool(['modinfo', '--field', 'vermagic', path]);
  return (asked.ok && asked.stdout.split(' ')[0]) || basename(directory);
}

/** Changes with the path, size or time of any file. Hashing the content takes too long. */
async function modulesIdentity(directory: string): Promise<string> {
  const hash = createHash('sha256');
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile() && !file.name.startsWith('modules.'))
    .map((file) => join(file.parentPath, file.name))
    .sort();
  for (const path of paths) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path.slice(directory.length)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * The directory itself if it has a modules.dep, else a directory of links to its files, where
 * depmod can add one.
 */
async function withModulesDep(
  directory: string,
  release: string,
  identity: string,
  { store, signal }: KernelContext,
): Promise<Outcome<string>> {
  if (await exists(join(directory, 'modules.dep'))) return success(directory);
  const key = cacheKey({ directory, release, identity });
  const entry = await lookUpOrMake(store, 'kernel-modules', key, async (made) => {
    const target = join(made, 'lib/modules', release);
    await mkdir(target, { recursive: true });
    for (const name of await readdir(directory)) {
      // Links to the build trees, which depmod does not need.
      if (name === 'build' || name === 'source') continue;
      await symlink(join(directory, name), join(target, name));
    }
    return depmod(made, release, signal);
  });
  return entry.ok ? success(join(entry.value, 'lib/modules', release)) : entry;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
