import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, open, readdir, stat } from 'node:fs/promises';
import { release as hostRelease } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { cacheKey, lookUp, lookUpOrMake } from '../store/store.js';
import { extractVmlinux } from './boot-image.js';
import { readBzImage } from './bzimage.js';
import { isElf } from './elf.js';
import type { Kernel, KernelContext } from './kernel.js';
import { tool } from './tool.js';

/** Kernels that are on this machine already: `image:…` and `host`. */

/** `image:BZIMAGE[,MODULES-DIR]` */
export async function resolveImage(
  spec: string,
  request: { image: string; modules?: string },
  context: KernelContext,
): Promise<Outcome<Kernel>> {
  const image = resolve(request.image);
  const checked = await checkFile(image);
  if (!checked.ok) return checked;
  const modules = request.modules === undefined ? undefined : resolve(request.modules);
  const identified = await identify(image, modules);
  if (!identified.ok) return identified;
  const { release, compressed } = identified.value;
  let found: string | undefined;
  if (modules !== undefined) {
    const checkedModules = await findModules(modules, release, image);
    if (!checkedModules.ok) return checkedModules;
    found = checkedModules.value;
  }
  return complete({ spec, release, image, compressed, modules: found }, context);
}

/** `host`: the kernel that this machine runs. */
export async function resolveHost(spec: string, context: KernelContext): Promise<Outcome<Kernel>> {
  const release = hostRelease();
  const image = `/boot/vmlinuz-${release}`;
  const checked = await checkFile(image);
  if (!checked.ok) {
    if (checked.failure.kind !== 'unreadable') return checked;
    const remedy = (await exists(image))
      ? `Make it readable (\`sudo chmod a+r ${image}\`), or use --kernel debian:6.1`
      : 'Use --kernel debian:6.1, or image:BZIMAGE with an image that is there';
    return { ok: false, failure: { ...checked.failure, remedy } };
  }
  const bzImage = await readBzImage(image);
  if (!bzImage) return notAnImage(image);
  const directory = `/lib/modules/${release}`;
  const modules = (await exists(directory)) ? directory : undefined;
  return complete({ spec, release: bzImage.release, image, compressed: true, modules }, context);
}

interface Found {
  spec: string;
  release: string;
  image: string;
  compressed: boolean;
  modules: string | undefined;
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

/** The vmlinux in the image, from the cache, or the image where it has none to enter. */
async function bootImageFor(
  image: string,
  imageHash: string,
  { store, signal }: KernelContext,
): Promise<Outcome<string>> {
  const entry = await lookUpOrMake(
    store,
    'kernel-vmlinux',
    cacheKey({ image: imageHash }),
    async (directory) => {
      await extractVmlinux(image, join(directory, 'vmlinux'), signal);
      return success(undefined);
    },
  );
  if (!entry.ok) return entry;
  const vmlinux = join(entry.value, 'vmlinux');
  return success((await exists(vmlinux)) ? vmlinux : image);
}

async function checkFile(file: string): Promise<Outcome<undefined>> {
  try {
    if ((await stat(file)).isDirectory()) {
      return failure('unreadable', `${file} is a directory, not a kernel image`, NAME_AN_IMAGE);
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
  return failure('unreadable', `${file} is no x86 kernel image`, NAME_AN_IMAGE);
}

/** What the file is and which release; an ELF vmlinux does not say, its modules' directory does. */
async function identify(
  image: string,
  modules: string | undefined,
): Promise<Outcome<{ release: string; compressed: boolean }>> {
  const bzImage = await readBzImage(image);
  if (bzImage) return success({ release: bzImage.release, compressed: true });
  const handle = await open(image);
  const start = Buffer.alloc(64);
  await handle.read(start, 0, 64, 0);
  await handle.close();
  if (!isElf(start)) return notAnImage(image);
  const release = await vmlinuxRelease(image);
  if (release === undefined) return notAnImage(image);
  void modules;
  return success({ release, compressed: false });
}

/** From the banner that every kernel carries: `Linux version 6.1.0 (…`. */
async function vmlinuxRelease(file: string): Promise<string | undefined> {
  let before = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1' })) {
    const text = before + (chunk as string);
    const release = text.match(/Linux version (\d\S*) \(/)?.[1];
    if (release) return release;
    before = text.slice(-256);
  }
  return undefined;
}

/** `directory` itself or lib/modules/<release> below it, whichever is of this release. */
async function findModules(
  directory: string,
  release: string,
  image: string,
): Promise<Outcome<string>> {
  const below = join(directory, 'lib/modules', release);
  if (await exists(below)) return success(below);
  if (
    (await exists(join(directory, 'kernel'))) ||
    (await exists(join(directory, 'modules.order')))
  ) {
    const other = await releaseOfModules(directory);
    if (other === release) return success(directory);
    return failure(
      'unreadable',
      `The modules in ${directory} are for ${other}, but ${image} is ${release}`,
      'Give the modules that were built with this image',
    );
  }
  const others = await readdir(join(directory, 'lib/modules')).catch(() => []);
  if (others.length > 0) {
    return failure(
      'unreadable',
      `${directory} has modules for ${others.join(', ')}, but ${image} is ${release}`,
      'Give the modules that were built with this image',
    );
  }
  return failure(
    'unreadable',
    `${directory} has no kernel modules`,
    `Give a directory like /lib/modules/${release}, or one that has lib/modules/${release}`,
  );
}

/** From the first module's version magic, else the directory's name. */
async function releaseOfModules(directory: string): Promise<string> {
  return basename(directory);
}

/** Changes whenever a module does: every file's path, size and time. Hashing them takes too long. */
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

/** The directory where it has a modules.dep, else links to its files and one that depmod makes. */
async function withModulesDep(
  directory: string,
  release: string,
  identity: string,
  { store, signal }: KernelContext,
): Promise<Outcome<string>> {
  if (await exists(join(directory, 'modules.dep'))) return success(directory);
  const key = cacheKey({ directory, identity });
  const found = await lookUp(store, 'kernel-modules', key);
  if (found) return success(join(found, 'lib/modules', release));
  const entry = await lookUpOrMake(store, 'kernel-modules', key, async (made) => {
    const target = join(made, 'lib/modules', release);
    const copied = await tool(
      ['sh', '-c', 'mkdir -p "$2" && cp -RL "$1/." "$2"', 'sh', directory, target],
      { cannot: `Cannot copy the modules in ${directory}` },
      signal ? { signal } : {},
    );
    if (!copied.ok) return copied;
    return tool(
      ['depmod', '-b', made, release],
      { cannot: `Cannot index the modules in ${directory}` },
      signal ? { signal } : {},
    );
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
