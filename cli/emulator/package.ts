import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Apt, openApt, type PackageRecord, packageClosure } from '../debian/apt.js';
import { suitesFor } from '../debian/suites.js';
import { unpackPackages } from '../debian/unpack.js';
import type { KernelContext } from '../kernel/kernel.js';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import { cacheKey, lookUp, lookUpOrMake, type Store } from '../store/store.js';

/**
 * The QEMU of a Debian suite, unpacked into the cache with all libraries that it needs, the C library and the
 * dynamic linker too. So it also runs on a system with an older C library.
 *
 *     qemu-system-x86_64   a script that starts the program with its linker and libraries
 *     program, linker      the program, and ld-linux-x86-64.so.2
 *     lib/                 shared libraries
 *     modules/             parts of QEMU that it loads itself
 *     share/               firmware
 */

const KIND = 'qemu';

/** Raise it when an entry is made in another way from the same packages. */
const LAYOUT = '1';

const PACKAGE = 'qemu-system-x86';

/** What is taken of the packages that apt would install. The others are not needed to run guests. */
const WANTED = /^(?:lib.*|zlib1g|qemu-system-(?:x86|common|data)|seabios)$/;
const UNWANTED = /^(?:libsystemd-shared|libasound2-data|libc-gconv-modules.*|libsasl2-modules-db)$/;

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

const ReferenceSchema = z.object({ key: z.string() });

/** The program if it is in the cache. */
export async function peekSuiteQemu(suite: string, store: Store): Promise<string | undefined> {
  const remembered = ReferenceSchema.safeParse(await readReference(store, `qemu-${suite}`)).data;
  const directory = remembered && (await lookUp(store, KIND, remembered.key));
  return directory === undefined ? undefined : programIn(directory);
}

/** @returns the program; see the directory above */
export async function fetchSuiteQemu(
  suite: string,
  context: KernelContext,
): Promise<Outcome<string>> {
  const { store, progress, signal } = context;
  const name = `qemu-${suite}`;
  const look = () => peekSuiteQemu(suite, store);
  const known = await look();
  if (known !== undefined) return success(known);
  return settleReference(
    store,
    name,
    look,
    async (scratch) => {
      progress({ type: 'stage', text: `Looking for QEMU in Debian's ${suite}` });
      const lists = join(scratch, 'lists');
      await mkdir(lists);
      const apt = await openApt(lists, suitesFor(suite), signal);
      if (!apt.ok) return apt;
      const packages = await packageClosure(apt.value, [PACKAGE], suite);
      if (!packages.ok) return unavailable(suite, packages.failure.message, apt.value.complaints);
      const chosen = packages.value.filter(
        (one) => WANTED.test(one.name) && !UNWANTED.test(one.name),
      );
      const hashes = chosen.map((one) => [one.name, one.sha256]);
      const key = cacheKey({ layout: LAYOUT, ...Object.fromEntries(hashes) });
      const entry = await lookUpOrMake(store, KIND, key, (directory) =>
        make(directory, suite, chosen, apt.value, context),
      );
      if (!entry.ok) return entry;
      return success({ remember: { key }, value: programIn(entry.value) });
    },
    { onWait: () => progress({ type: 'note', text: 'Another daxrepro is fetching QEMU' }) },
  );
}

const programIn = (directory: string) => join(directory, 'qemu-system-x86_64');

function unavailable(suite: string, why: string, detail: string): Outcome<never> {
  return failure(
    'tool-failed',
    `Debian's ${suite} has no QEMU for this machine: ${why}`,
    'Check the name of the suite, the network and the mirror in /etc/apt',
    detail === '' ? {} : { detail },
  );
}

async function make(
  directory: string,
  suite: string,
  packages: readonly PackageRecord[],
  apt: Apt,
  { store, progress }: KernelContext,
): Promise<Outcome<unknown>> {
  const bytes = packages.reduce((sum, { size }) => sum + size, 0);
  const version = packages.find(({ name }) => name === PACKAGE)?.version;
  progress({
    type: 'note',
    text: `Downloading QEMU ${version} of Debian's ${suite} with its libraries, ${Math.ceil(bytes / 1e6)} MB; kept in ${store.root}`,
  });
  const whole = join(directory, '.whole');
  await mkdir(whole);
  const unpacked = await unpackPackages(apt, packages, whole);
  if (!unpacked.ok) return unpacked;
  await rename(join(whole, 'usr/bin/qemu-system-x86_64'), join(directory, 'program'));
  await mkdir(join(directory, 'share'));
  for (const name of ['qemu', 'seabios']) {
    await rename(join(whole, 'usr/share', name), join(directory, 'share', name));
  }
  await moveWhereThere(join(whole, LIBRARIES, 'qemu'), join(directory, 'modules'));
  await collectLibraries(whole, join(directory, 'lib'));
  await rename(join(directory, 'lib', 'ld-linux-x86-64.so.2'), join(directory, 'linker'));
  await rm(whole, { recursive: true });
  await writeFile(programIn(directory), SCRIPT);
  await chmod(programIn(directory), 0o755);
  const started = await runTool([programIn(directory), '--version'], { timeout: 30_000 });
  return started.ok
    ? success(undefined)
    : unavailable(suite, 'the one that was unpacked does not start here', started.all);
}

/** Finds its files beside itself, wherever the cache is. */
const SCRIPT = `#!/bin/sh
here=\${0%/*}
export QEMU_MODULE_DIR="$here/modules"
exec "$here/linker" --library-path "$here/lib" --argv0 qemu-system-x86_64 "$here/program" \\
  -L "$here/share/qemu" -L "$here/share/seabios" "$@"
`;

async function collectLibraries(whole: string, to: string): Promise<void> {
  await mkdir(to);
  for (const place of [LIBRARIES, 'lib/x86_64-linux-gnu']) {
    for (const name of await readdir(join(whole, place)).catch(() => [])) {
      if (/\.so\b/.test(name)) await rename(join(whole, place, name), join(to, name));
    }
  }
}

async function moveWhereThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
