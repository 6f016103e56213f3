import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Apt, openApt, type PackageRecord, packageRecords } from '../debian/apt.js';
import { unpackPackages } from '../debian/unpack.js';
import { hostLibc, libcSuffices } from '../kernel/packages.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import type { Progress } from '../progress.js';
import { settleReference } from '../store/reference.js';
import { cacheKey, lookUpOrMake, type Store } from '../store/store.js';
import {
  type CapableQemu,
  FIRMWARE,
  LIBRARIES,
  PROGRAM,
  peekUnpacked,
  QEMU_KIND,
  QEMU_REFERENCE,
  unpackedIn,
  versionWithPlugins,
} from './qemu.js';

/**
 * Unpacks Debian's package of QEMU 10.0 into the cache, for a Debian 12, whose own QEMU is 7.2. QEMU runs from
 * there, together with the libraries that this system lacks.
 */

/** The suite with QEMU 10.0 for Debian 12. Debian 13 has QEMU 10.0 itself. */
const SUITE = 'bookworm-backports';
/** The suite with its dependencies. It is read only if a library is missing. */
const BASE_SUITE = 'bookworm';

const PACKAGES = ['qemu-system-x86', 'qemu-system-data', 'seabios'] as const;

/** How many times libraries may need further libraries. */
const ROUNDS = 4;

export interface FetchContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** The QEMU in the cache; downloads it first if it is not there. */
export async function fetchQemu(context: FetchContext): Promise<Outcome<CapableQemu>> {
  const { store, progress } = context;
  return settleReference(
    store,
    QEMU_REFERENCE,
    () => peekUnpacked(store),
    async (scratch) => {
      progress({ type: 'stage', text: `Looking for QEMU in Debian's ${SUITE}` });
      const lists = join(scratch, 'lists');
      await mkdir(lists);
      const apt = await openApt(lists, [SUITE], context.signal);
      if (!apt.ok) return unavailable(apt.failure.message, apt.failure.detail);
      const packages = choose(await packageRecords(apt.value, PACKAGES));
      if (!packages.ok) return packages;
      const key = cacheKey(
        Object.fromEntries(packages.value.map(({ name, sha256 }) => [name, sha256])),
      );
      const version = upstreamVersion(packages.value);
      const entry = await lookUpOrMake(store, QEMU_KIND, key, (directory) =>
        make(directory, packages.value, apt.value, join(scratch, 'base-lists'), context),
      );
      if (!entry.ok) return entry;
      const value = await unpackedIn(entry.value, version);
      return success({ remember: { key, version }, value });
    },
    { onWait: () => progress({ type: 'note', text: 'Another daxrepro is fetching QEMU' }) },
  );
}

/** The newest package of each name. All must exist, and must run with this system's C library. */
export function choose(
  records: readonly PackageRecord[],
  libc: string | undefined = hostLibc(),
): Outcome<PackageRecord[]> {
  const packages = PACKAGES.map((name) => records.find((record) => record.name === name));
  const found = packages.filter((record) => record !== undefined);
  if (found.length < packages.length) return unavailable(`packages are missing from ${SUITE}`);
  const needed = found[0]?.depends.match(/\blibc6 \(>= ([\d.]+)/)?.[1];
  if (!libcSuffices(needed, libc)) {
    return unavailable(`it needs the C library ${needed}, and this system has ${libc}`);
  }
  return success(found);
}

/** `10.0.2` of `1:10.0.2+ds-2+deb13u1~bpo12+1`. */
function upstreamVersion(packages: readonly PackageRecord[]): string {
  return packages[0]?.version.match(/^(?:\d+:)?([\d.]+)/)?.[1] ?? '';
}

function unavailable(why: string, detail?: string) {
  return failure(
    'tool-failed',
    `Debian has no package of QEMU 10.0 for this system: ${why}`,
    'Check the network and the mirror in /etc/apt, or put a qemu-system-x86_64 of 10.0 or newer, built with plugins, first in PATH',
    detail === undefined ? {} : { detail },
  );
}

async function make(
  directory: string,
  packages: readonly PackageRecord[],
  apt: Apt,
  baseLists: string,
  { store, progress, signal }: FetchContext,
): Promise<Outcome<unknown>> {
  const bytes = packages.reduce((sum, { size }) => sum + size, 0);
  progress({
    type: 'note',
    text: `Downloading QEMU ${upstreamVersion(packages)} (Debian ${packages[0]?.version}), ${Math.ceil(bytes / 1e6)} MB; kept in ${store.root}`,
  });
  const whole = join(directory, '.whole');
  await mkdir(whole);
  const fetched = await unpackPackages(apt, packages, whole);
  if (!fetched.ok) return fetched;
  for (const path of [PROGRAM, ...FIRMWARE]) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await rename(join(whole, path), join(directory, path));
  }
  await rm(whole, { recursive: true });
  const completed = await addLibraries(directory, packages, baseLists, progress, signal);
  if (!completed.ok) return completed;
  const { program, environment } = await unpackedIn(directory, '');
  if ((await versionWithPlugins(program, environment)) === undefined) {
    return unavailable('the one that was unpacked does not start here, or has no plugins');
  }
  return success(undefined);
}

/** Adds the libraries that the program is linked to and this system lacks, if its packages depend on them. */
async function addLibraries(
  directory: string,
  packages: readonly PackageRecord[],
  lists: string,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<Outcome<unknown>> {
  let missing = await missingLibraries(directory);
  if (missing.length === 0) return success(undefined);
  await mkdir(lists);
  const apt = await openApt(lists, [BASE_SUITE], signal);
  if (!apt.ok) return unavailable(apt.failure.message, apt.failure.detail);
  const have = new Set<string>();
  let names = packages.flatMap(dependencies);
  for (let round = 0; missing.length > 0 && round < ROUNDS; round += 1) {
    const wanted = names.filter((name) => !have.has(name));
    if (wanted.length === 0) break;
    for (const name of wanted) have.add(name);
    const records = await packageRecords(apt.value, wanted);
    const newest = wanted.flatMap((name) => records.find((record) => record.name === name) ?? []);
    const bytes = newest.reduce((sum, { size }) => sum + size, 0);
    progress({
      type: 'note',
      text: `Downloading libraries that this system lacks (${missing.join(', ')}), ${Math.ceil(bytes / 1e6)} MB`,
    });
    const whole = join(directory, '.libraries');
    await mkdir(whole);
    const fetched = await unpackPackages(apt.value, newest, whole);
    if (!fetched.ok) return fetched;
    await moveLibraries(whole, directory);
    await rm(whole, { recursive: true });
    names = newest.flatMap(dependencies);
    missing = await missingLibraries(directory);
  }
  if (missing.length > 0) return unavailable(`this system lacks ${missing.join(', ')}`);
  return success(undefined);
}

/** Debian 12's packages have libraries both below /lib and below /usr/lib. */
async function moveLibraries(from: string, directory: string): Promise<void> {
  const to = join(directory, LIBRARIES);
  await mkdir(to, { recursive: true });
  for (const place of [LIBRARIES, LIBRARIES.replace('usr/', '')]) {
    for (const name of await readdir(join(from, place)).catch(() => [])) {
      if (/\.so\b/.test(name)) await rename(join(from, place, name), join(to, name));
    }
  }
}

/** Names of the library packages that a package depends on, without the C library, which the system has. */
function dependencies({ depends }: PackageRecord): string[] {
  return depends
    .split(/,\s*/)
    .map((one) => one.split(/[ |:]/)[0] ?? '')
    .filter((name) => name.startsWith('lib') && !/^libc6$|^libc-|^libgcc/.test(name));
}

/** The missing libraries in the output of ldd(1). */
async function missingLibraries(directory: string): Promise<string[]> {
  const { program, environment } = await unpackedIn(directory, '');
  const env = { LC_ALL: 'C', ...environment };
  const { stdout } = await runTool(['ldd', program], { env, timeout: 10_000 });
  return [...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name = '']) => name);
}
