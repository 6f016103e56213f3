import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Apt,
  openApt,
  type PackageRecord,
  packageClosure,
  packageRecords,
} from '../debian/apt.js';
import { suitesFor } from '../debian/suites.js';
import type { PackageName } from '../guest/packages.js';
import type { Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import { cacheKey, lookUp, lookUpOrMake } from '../store/store.js';
import type { UserlandContext } from './packages.js';
import { unpackSystem } from './unpack-system.js';

/** A single package of a Debian suite with the libraries that it needs, unpacked into the cache. */

const KIND = 'userland-package';

/** Raise it when an entry is made in another way from the same packages. */
const LAYOUT = '1';

const ReferenceSchema = z.object({ key: z.string(), version: z.string() });

interface SuitePackage {
  /** Its programs and libraries, as a system of their own. */
  system: Userland & { key: string };
  /** The version of the Debian package. */
  version: string;
}

/** @param wanted undefined: the newest version of the suite */
export async function fetchSuitePackage(
  name: PackageName,
  { suite, version: wanted }: { suite: string; version?: string },
  context: UserlandContext,
): Promise<Outcome<SuitePackage>> {
  const { store, progress, signal } = context;
  const asked = wanted === undefined ? suite : `${suite}=${wanted}`;
  const referenceOf = (word: string) => `${name}-${word.replaceAll(':', '-')}`;
  const reference = referenceOf(asked);
  const look = async () => {
    for (const word of [asked, suite]) {
      const read = ReferenceSchema.safeParse(await readReference(store, referenceOf(word))).data;
      if (!read || (wanted !== undefined && read.version !== wanted)) continue;
      const root = await lookUp(store, KIND, read.key);
      if (root !== undefined) return described(name, suite, read, root);
    }
    return undefined;
  };
  const known = await look();
  if (known !== undefined) return success(known);
  return settleReference(
    store,
    reference,
    look,
    async (scratch) => {
      progress({ type: 'stage', text: `Looking for ${name} in Debian's ${suite}` });
      const lists = join(scratch, 'lists');
      await mkdir(lists);
      const apt = await openApt(lists, suitesFor(suite), signal);
      if (!apt.ok) return apt;
      const chosen = await choose(name, { suite, wanted }, apt.value);
      if (!chosen.ok) return chosen;
      const { packages, version } = chosen.value;
      const bytes = packages.reduce((sum, { size }) => sum + size, 0);
      const text = `Downloading ${name} ${version} of Debian's ${suite} with its libraries: ${packages.length} packages, ${Math.ceil(bytes / 1e6)} MB; kept in ${store.root}`;
      progress({ type: 'note', text });
      const hashes = packages.map((one) => [one.name, one.sha256]);
      const key = cacheKey({ layout: LAYOUT, ...Object.fromEntries(hashes) });
      const made = await lookUpOrMake(store, KIND, key, (directory) =>
        unpackSystem(directory, packages, apt.value),
      );
      if (!made.ok) return made;
      const remember = { key, version };
      return success({ remember, value: described(name, suite, remember, made.value) });
    },
    { onWait: () => progress({ type: 'note', text: `Another daxrepro is fetching ${name}` }) },
  );
}

function described(
  name: PackageName,
  suite: string,
  { key, version }: z.infer<typeof ReferenceSchema>,
  root: string,
): SuitePackage {
  return { system: { name: `${name} of debian:${suite}`, root, key }, version };
}

async function choose(
  name: PackageName,
  { suite, wanted }: { suite: string; wanted: string | undefined },
  apt: Apt,
): Promise<Outcome<{ packages: PackageRecord[]; version: string }>> {
  const records = await packageRecords(apt, [name]);
  const there = wanted === undefined || records.some(({ version }) => version === wanted);
  if (records.length === 0 || !there) {
    const versions = records.map(({ version }) => version).join(', ');
    return failure(
      'usage',
      `Debian's ${suite} has no ${name}${wanted === undefined ? '' : ` ${wanted}`}`,
      versions === ''
        ? 'Check the name of the suite, the network and the mirror in /etc/apt'
        : `Give one of its versions: ${versions}`,
      apt.complaints === '' ? {} : { detail: apt.complaints },
    );
  }
  const closure = await packageClosure(
    apt,
    [wanted === undefined ? name : `${name}=${wanted}`],
    suite,
  );
  if (!closure.ok) return closure;
  // The guest gets programs and libraries only, so python and the like need not be fetched.
  const packages = closure.value.filter(
    (one) => one.name === name || /^lib(?!python)/.test(one.name),
  );
  const own = packages.find((one) => one.name === name);
  if (!own) throw new Error(`apt installs ${name} without ${name}`);
  return success({ packages, version: own.version });
}
