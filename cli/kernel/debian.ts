import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Apt, openApt, packageRecords } from '../debian/apt.js';
import { failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import { cacheKey, lookUp, placesOf, type Store } from '../store/store.js';
import type { CatalogueRelease, DebianKernel } from './catalogue.js';
import { compilerOf, headersDirectory } from './configuration.js';
import { fetchArchive, fetchEntries } from './debian-entries.js';
import { nameOf, settleDebian, settledBefore } from './debian-search.js';
import type { Kernel, KernelContext, ResolveOptions } from './kernel.js';
import {
  completeSets,
  hostLibc,
  type KernelPackages,
  libcSuffices,
  packageNames,
} from './packages.js';

/**
 * `debian:X.Y`: image, headers and sources of one version of a packaged kernel, in the cache. The
 * mirror is asked once which version that is; the answer is remembered.
 */

const rememberedSchema = z.object({
  release: z.string(),
  version: z.string(),
  /** Keys of the cache entries. */
  image: z.string(),
  headers: z.string(),
  source: z.string(),
  archive: z.string(),
  compiler: z.string(),
});

/** The content of the reference `debian-X.Y`. */
export type Remembered = z.infer<typeof rememberedSchema>;

/** The version that `debian:X.Y` stands for, if it was fetched and is still in the cache. */
export async function peekDebian(
  kernel: DebianKernel,
  store: Store,
): Promise<{ release: string; version: string } | undefined> {
  const settled = await settledBefore(kernel, store);
  const remembered = settled && (await recall(settled, store));
  if (!remembered) return undefined;
  const { entry } = placesOf(store, 'kernel-image', remembered.image);
  return (await exists(entry)) ? remembered : undefined;
}

/** A pinned version may also be the one that its series stands for. */
async function recall(kernel: DebianKernel, store: Store): Promise<Remembered | undefined> {
  const { version, pin } = kernel;
  for (const name of new Set([referenceName(kernel), `debian-${version}`])) {
    const remembered = rememberedSchema.safeParse(await readReference(store, name)).data;
    if (remembered && (pin === undefined || remembered.version === pin)) return remembered;
  }
  return undefined;
}

const referenceName = (kernel: DebianKernel) => `debian-${nameOf(kernel)}`;

export async function resolveDebian(
  spec: string,
  asked: DebianKernel,
  context: KernelContext,
  { refresh: again = false }: ResolveOptions = {},
): Promise<Outcome<Kernel>> {
  const settled = await settleDebian(asked, context, { refresh: again });
  if (!settled.ok) return settled;
  const kernel = settled.value;
  // A version never changes.
  const refresh = again && kernel.pin === undefined;
  const look = async () => {
    const remembered = await recall(kernel, context.store);
    return remembered ? assemble(spec, kernel, remembered, context) : undefined;
  };
  const known = refresh ? undefined : await look();
  if (known) return success(known);
  return settleReference(
    context.store,
    referenceName(kernel),
    refresh ? async () => undefined : look,
    async (scratch) => {
      const found = await findPackages(kernel, scratch, context);
      if (!found.ok) return found;
      const { apt, packages } = found.value;
      const entries = await fetchEntries(kernel.version, packages, apt, context);
      if (!entries.ok) return entries;
      const tree = headersDirectory(entries.value.headers.directory, packages.release);
      const compiler = compilerOf(await readFile(join(tree, '.config'), 'utf8'));
      const remembered: Remembered = {
        release: packages.release,
        version: packages.version,
        image: entries.value.image.key,
        headers: entries.value.headers.key,
        source: entries.value.source.key,
        archive: entries.value.archive.key,
        compiler,
      };
      const value = await assemble(spec, kernel, remembered, context);
      if (!value)
        throw new Error(`${spec}: a cache entry disappeared while it was being assembled`);
      return success({ remember: remembered, value });
    },
    {
      onWait: () =>
        context.progress({ type: 'note', text: `Another daxrepro is fetching ${spec}` }),
    },
  );
}

/** The complete packaged sources of a series. Downloads only them if they are not in the cache. */
export async function fetchSourceArchive(
  asked: DebianKernel,
  context: KernelContext,
  { refresh: again = false }: ResolveOptions = {},
): Promise<Outcome<{ file: string; identity: string; series: string }>> {
  const { store, progress } = context;
  const settled = await settleDebian(asked, context, { refresh: again });
  if (!settled.ok) return settled;
  const kernel = settled.value;
  const refresh = again && kernel.pin === undefined;
  const answer = (key: string, directory: string) => ({
    series: kernel.version,
    file: join(directory, `linux-source-${kernel.version}.tar.xz`),
    identity: `linux-source-${kernel.version} ${key}`,
  });
  const name = `debsrc-${nameOf(kernel)}`;
  const look = async () => {
    // Prefer the packaged kernel's version: the two get compared.
    const own = archiveSchema.safeParse(await readReference(store, name)).data?.archive;
    const keys = [(await recall(kernel, store))?.archive, own];
    for (const key of keys) {
      const directory = key === undefined ? undefined : await lookUp(store, 'kernel-archive', key);
      if (key !== undefined && directory !== undefined) return answer(key, directory);
    }
    return undefined;
  };
  const known = refresh ? undefined : await look();
  if (known) return success(known);
  return settleReference(
    store,
    name,
    refresh ? async () => undefined : look,
    async (scratch) => {
      // Nothing that comes with the sources is run, so any C library will do.
      const found = await findPackages(kernel, scratch, context, { libc: undefined });
      if (!found.ok) return found;
      const { apt, packages } = found.value;
      const entry = await fetchArchive(kernel.version, packages, apt, context);
      if (!entry.ok) return entry;
      const { key, directory } = entry.value;
      return success({ remember: { archive: key }, value: answer(key, directory) });
    },
    {
      onWait: () => progress({ type: 'note', text: `Another daxrepro is fetching ${name}` }),
    },
  );
}

const archiveSchema = z.object({ archive: z.string() });

/** The kernel, from its cache entries; undefined if one is gone. */
async function assemble(
  spec: string,
  kernel: DebianKernel,
  remembered: Remembered,
  { store }: KernelContext,
): Promise<Kernel | undefined> {
  const { release } = remembered;
  const [image, headers, source, archive] = await Promise.all([
    lookUp(store, 'kernel-image', remembered.image),
    lookUp(store, 'kernel-headers', remembered.headers),
    lookUp(store, 'kernel-source', remembered.source),
    lookUp(store, 'kernel-archive', remembered.archive),
  ]);
  // Only full builds need the archive, and they can fetch it again.
  if (!image || !headers || !source) return undefined;
  const bzImage = join(image, 'boot', `vmlinuz-${release}`);
  const vmlinux = join(image, 'vmlinux');
  const direct = await exists(vmlinux);
  const brought = join(headers, 'usr/bin', `x86_64-linux-gnu-${remembered.compiler}`);
  return {
    spec,
    release,
    packageVersion: remembered.version,
    id: cacheKey({ image: remembered.image }),
    image: bzImage,
    bootImage: direct ? vmlinux : bzImage,
    modules: join(image, 'lib/modules', release),
    build: {
      headers: headersDirectory(headers, release),
      source,
      ...(archive ? { sourceArchive: join(archive, `linux-source-${kernel.version}.tar.xz`) } : {}),
      compiler: (await exists(brought)) ? brought : remembered.compiler,
    },
    lacksDax: kernel.lacksDax,
  };
}

/** Finds the newest complete version, if possible in a release whose build tools run here. */
async function findPackages(
  kernel: DebianKernel,
  scratch: string,
  context: KernelContext,
  /** The C library that the build tools must run with; undefined: any. */
  { libc }: { libc: string | undefined } = { libc: hostLibc() },
): Promise<Outcome<{ apt: Apt; packages: KernelPackages }>> {
  const complaints: string[] = [];
  let unsuitable: { apt: Apt; packages: KernelPackages } | undefined;
  for (const release of await ownReleaseFirst(kernel.releases)) {
    context.progress({
      type: 'note',
      text: `Asking this machine's Debian mirror for kernel ${kernel.version}: package lists of ${release.suites.join(', ')} (about 10 MB)`,
    });
    const directory = join(scratch, release.codename);
    await mkdir(directory);
    const apt = await openApt(directory, release.suites, context.signal);
    if (!apt.ok) return apt;
    complaints.push(apt.value.complaints);
    const records = await packageRecords(apt.value, packageNames(kernel.version));
    const sets = completeSets(kernel.version, records).filter(
      ({ version }) => kernel.pin === undefined || version === kernel.pin,
    );
    const suitable = sets.find((set) => libcSuffices(set.libc, libc));
    if (suitable) return success({ apt: apt.value, packages: suitable });
    if (sets[0]) unsuitable ??= { apt: apt.value, packages: sets[0] };
  }
  if (unsuitable) return success(unsuitable);
  return failure(
    'kernel-unavailable',
    `This machine's Debian mirror has no kernel ${kernel.version} with headers and sources`,
    'Check the network and the mirror in /etc/apt, or see `daxrepro kernel list` for other kernels',
    { detail: complaints.filter((text) => text !== '').join('\n') },
  );
}

/** A machine that runs one of these releases has its compilers. */
async function ownReleaseFirst(releases: readonly CatalogueRelease[]): Promise<CatalogueRelease[]> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const own = text.match(/^VERSION_CODENAME=(\w+)$/m)?.[1];
  const rank = ({ codename }: CatalogueRelease) => (codename === own ? 0 : 1);
  return [...releases].sort((a, b) => rank(a) - rank(b));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
