import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Apt, PackageRecord } from '../debian/apt.js';
import { unpackPackages } from '../debian/unpack.js';
import { failure, type Outcome, success } from '../outcome.js';
import { tool } from '../process/tool.js';
import { cacheKey, lookUp, lookUpOrMake } from '../store/store.js';
import { extractVmlinux } from './boot-image.js';
import { type BuildPackages, chooseBuildPackages, unpackBuildPackages } from './build-packages.js';
import { readBzImage } from './bzimage.js';
import { depmod } from './depmod.js';
import type { KernelContext } from './kernel.js';
import type { KernelPackages } from './packages.js';

/**
 * Cache entries of a packaged kernel, each made from the packages that its key names:
 *
 *     kernel-image    boot/, lib/modules/<release>/ with modules.dep, vmlinux (not always)
 *     kernel-headers  usr/src/, usr/lib/, and usr/bin/ if the compiler came with them
 *     kernel-archive  linux-source-X.Y.tar.xz
 *     kernel-source   its fs/
 */

export interface CacheEntry {
  key: string;
  directory: string;
}

export interface KernelEntries {
  image: CacheEntry;
  headers: CacheEntry;
  archive: CacheEntry;
  source: CacheEntry;
}

/** Makes the missing entries in parallel, to keep the network and both cores busy. */
export async function fetchEntries(
  series: string,
  packages: KernelPackages,
  apt: Apt,
  context: KernelContext,
): Promise<Outcome<KernelEntries>> {
  const build = await chooseBuildPackages(packages, apt, context);
  if (!build.ok) return build;
  await announce(packages, build.value, context);
  const make = async (
    kind: string,
    made: readonly PackageRecord[],
    fill: (directory: string) => Promise<Outcome<unknown>>,
  ): Promise<Outcome<CacheEntry>> => {
    const key = keyOf(made);
    const entry = await lookUpOrMake(context.store, kind, key, fill);
    return entry.ok ? success({ key, directory: entry.value }) : entry;
  };
  const sources = async () => {
    const archive = await make('kernel-archive', [packages.source], (directory) =>
      makeArchive(series, packages.source, apt, directory),
    );
    if (!archive.ok) return archive;
    const source = await make('kernel-source', [packages.source], (directory) =>
      unpackSource(series, archive.value.directory, directory, context.signal),
    );
    return source.ok ? success({ archive: archive.value, source: source.value }) : source;
  };
  const [image, headers, source] = await Promise.all([
    make('kernel-image', packages.image, (directory) => makeImage(packages, apt, directory)),
    make('kernel-headers', build.value.packages, (directory) =>
      unpackBuildPackages(build.value, apt, directory),
    ),
    sources(),
  ]);
  if (!image.ok) return image;
  if (!headers.ok) return headers;
  if (!source.ok) return source;
  return success({ image: image.value, headers: headers.value, ...source.value });
}

/** Only the sources. */
export async function fetchArchive(
  series: string,
  { source }: KernelPackages,
  apt: Apt,
  { store, progress }: KernelContext,
): Promise<Outcome<CacheEntry>> {
  const key = keyOf([source]);
  const entry = await lookUpOrMake(store, 'kernel-archive', key, async (directory) => {
    const text = `Downloading the sources of kernel ${series} (Debian ${source.version}), ${megabytes(source.size)} MB; kept in ${store.root}`;
    progress({ type: 'note', text });
    progress({ type: 'stage', text: `Fetching the sources of kernel ${series}` });
    return makeArchive(series, source, apt, directory);
  });
  return entry.ok ? success({ key, directory: entry.value }) : entry;
}

/** Announces the downloads and their size. */
async function announce(
  packages: KernelPackages,
  { packages: build, compiler }: BuildPackages,
  { store, progress }: KernelContext,
): Promise<void> {
  const headers = compiler === undefined ? 'headers' : `headers and ${compiler}`;
  const parts: { kind: string; what: string; made: PackageRecord[] }[] = [
    { kind: 'kernel-image', what: 'image', made: packages.image },
    { kind: 'kernel-headers', what: headers, made: build },
    { kind: 'kernel-archive', what: 'sources', made: [packages.source] },
  ];
  const texts: string[] = [];
  let total = 0;
  for (const { kind, what, made } of parts) {
    if (await lookUp(store, kind, keyOf(made))) continue;
    const size = made.reduce((sum, { size }) => sum + size, 0);
    total += size;
    texts.push(`${what} ${megabytes(size)}`);
  }
  if (texts.length > 0) {
    const text = `Downloading kernel ${packages.release} (Debian ${packages.version}), ${megabytes(total)} MB: ${texts.join(', ')}; kept in ${store.root}`;
    progress({ type: 'note', text });
  }
  progress({ type: 'stage', text: `Fetching and unpacking kernel ${packages.release}` });
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);

/** The hashes of the packages determine everything that is made from them. */
function keyOf(packages: readonly PackageRecord[]): string {
  return cacheKey(Object.fromEntries(packages.map(({ name, sha256 }) => [name, sha256])));
}

/** Downloads the packages and unpacks them into `directory`, without their documentation. */
async function fetchInto(
  apt: Apt,
  packages: readonly PackageRecord[],
  directory: string,
): Promise<Outcome<unknown>> {
  const unpacked = await unpackPackages(apt, packages, directory);
  if (!unpacked.ok) return unpacked;
  await rm(join(directory, 'usr/share'), { recursive: true, force: true });
  return success(undefined);
}

async function makeImage(
  packages: KernelPackages,
  apt: Apt,
  directory: string,
): Promise<Outcome<unknown>> {
  const fetched = await fetchInto(apt, packages.image, directory);
  if (!fetched.ok) return fetched;
  const { release } = packages;
  const modules = join(directory, 'lib/modules');
  const image = join(directory, 'boot', `vmlinuz-${release}`);
  // Newer packages have only /usr/lib, where depmod and the guest do not look, with the image in
  // it.
  await mkdir(join(directory, 'lib'), { recursive: true });
  await mkdir(join(directory, 'boot'), { recursive: true });
  await moveWhereThere(join(directory, 'usr/lib/modules'), modules);
  await moveWhereThere(join(modules, release, 'vmlinuz'), image);
  if (!(await readBzImage(image).catch(() => undefined))) {
    return failure(
      'kernel-unavailable',
      `The packages of kernel ${release} have no image where one is expected`,
      'Use another kernel (`daxrepro kernel list`)',
    );
  }
  const [indexed, extracted] = await Promise.all([
    depmod(directory, release, apt.signal),
    extractVmlinux(image, join(directory, 'vmlinux'), apt.signal),
  ]);
  return indexed.ok ? extracted : indexed;
}

async function moveWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function makeArchive(
  series: string,
  source: PackageRecord,
  apt: Apt,
  directory: string,
): Promise<Outcome<unknown>> {
  const fetched = await fetchInto(apt, [source], directory);
  if (!fetched.ok) return fetched;
  const archive = `linux-source-${series}.tar.xz`;
  await rename(join(directory, 'usr/src', archive), join(directory, archive));
  await rm(join(directory, 'usr'), { recursive: true });
  return success(undefined);
}

async function unpackSource(
  series: string,
  archive: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Outcome<unknown>> {
  const name = `linux-source-${series}`;
  return tool(
    [
      'tar',
      '--extract',
      `--file=${join(archive, `${name}.tar.xz`)}`,
      '--use-compress-program=xz -T0',
      `--directory=${directory}`,
      '--strip-components=1',
      '--no-same-owner',
      `${name}/fs`,
    ],
    { cannot: `Cannot unpack fs/ of ${name}` },
    signal ? { signal } : {},
  );
}
