import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import listed from '../../guest-scripts/userland.yaml';
import {
  type Apt,
  openApt,
  type PackageRecord,
  packageClosure,
  packageRecords,
} from '../debian/apt.js';
import { linkPlainNames, useOwnLoader } from '../debian/own-loader.js';
import { suitesFor } from '../debian/suites.js';
import { unpackPackages } from '../debian/unpack.js';
import type { Userland } from '../guest/userland.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import { cacheKey, lookUp, lookUpOrMake, type Store } from '../store/store.js';
import { mergeUsr, unpackSystem } from './unpack-system.js';

/**
 * The userland of a Debian suite: its packages (guest-scripts/userland.yaml) and all that they depend on, unpacked
 * into the cache, and its compiler for our own programs. Nothing of this machine gets into such a guest, so that it
 * is the same on every machine.
 */

const KINDS = { system: 'userland', compiler: 'userland-compiler' };

/** Raise it when an entry is made in another way from the same packages. */
const LAYOUT = '1';

const COMPILER = ['gcc', 'libc6-dev'];

const Packages = z.strictObject({
  required: z.array(z.string()),
  optional: z.array(z.string()),
  alternatives: z.record(z.string(), z.array(z.string())),
});

const ReferenceSchema = z.object({ system: z.string(), compiler: z.string() });

export interface UserlandContext {
  store: Store;
  progress: Progress;
  signal?: AbortSignal;
}

/** @param name `debian:sid` */
export async function fetchSuiteUserland(
  name: string,
  context: UserlandContext,
): Promise<Outcome<Userland>> {
  const { store, progress, signal } = context;
  const suite = name.slice('debian:'.length);
  const reference = `userland-${suite}`;
  const look = async () => {
    const remembered = ReferenceSchema.safeParse(await readReference(store, reference)).data;
    return remembered && assemble(name, remembered, store);
  };
  const known = await look();
  if (known !== undefined) return success(known);
  return settleReference(
    store,
    reference,
    look,
    async (scratch) => {
      progress({ type: 'stage', text: `Looking for the guest's programs in Debian's ${suite}` });
      const lists = join(scratch, 'lists');
      await mkdir(lists);
      const apt = await openApt(lists, suitesFor(suite), signal);
      if (!apt.ok) return apt;
      const chosen = await choosePackages(suite, apt.value);
      if (!chosen.ok) return chosen;
      const { system, compiler } = chosen.value;
      announce(suite, [...system, ...compiler], context);
      const keys = { system: keyOf(system), compiler: keyOf(compiler) };
      const made = await lookUpOrMake(store, KINDS.system, keys.system, (directory) =>
        makeSystem(directory, system, apt.value),
      );
      if (!made.ok) return made;
      const compiled = await lookUpOrMake(store, KINDS.compiler, keys.compiler, (directory) =>
        makeCompiler(directory, compiler, apt.value),
      );
      if (!compiled.ok) return compiled;
      const value = await assemble(name, keys, store);
      if (!value) throw new Error(`${name}: a cache entry disappeared while it was being made`);
      return success({ remember: keys, value });
    },
    { onWait: () => progress({ type: 'note', text: `Another daxrepro is fetching ${name}` }) },
  );
}

async function assemble(
  name: string,
  keys: z.infer<typeof ReferenceSchema>,
  store: Store,
): Promise<Userland | undefined> {
  const root = await lookUp(store, KINDS.system, keys.system);
  const compiler = await lookUp(store, KINDS.compiler, keys.compiler);
  if (root === undefined || compiler === undefined) return undefined;
  return {
    ...{ name, root, key: keys.system },
    compiler: {
      program: 'gcc',
      path: join(compiler, 'usr/bin/gcc'),
      identity: keys.compiler,
      // Its own assembler and linker: this machine's may be too old for its output.
      flags: [`--sysroot=${compiler}`, `-B${join(compiler, 'usr/bin')}/`],
      root: compiler,
    },
  };
}

function keyOf(packages: readonly PackageRecord[]): string {
  const hashes = packages.map(({ name, sha256 }) => [name, sha256]);
  return cacheKey({ layout: LAYOUT, ...Object.fromEntries(hashes) });
}

function announce(
  suite: string,
  packages: readonly PackageRecord[],
  { store, progress }: UserlandContext,
): void {
  const once = new Map(packages.map((one) => [one.name, one.size]));
  const bytes = [...once.values()].reduce((sum, size) => sum + size, 0);
  const text = `Downloading the guest's programs from Debian's ${suite}, with a compiler: ${once.size} packages, ${Math.ceil(bytes / 1e6)} MB; kept in ${store.root}`;
  progress({ type: 'note', text });
}

interface Chosen {
  system: PackageRecord[];
  compiler: PackageRecord[];
}

async function choosePackages(suite: string, apt: Apt): Promise<Outcome<Chosen>> {
  const { required, optional } = readPackages();
  const records = await packageRecords(apt, [...required, ...optional, ...COMPILER]);
  const there = new Set(records.map(({ name }) => name));
  const missing = [...required, ...COMPILER].filter((name) => !there.has(name));
  if (missing.length > 0) {
    return failure(
      'usage',
      `Debian's ${suite} has no ${missing.join(', ')}`,
      'Check the name of the suite, the network and the mirror in /etc/apt',
      apt.complaints === '' ? {} : { detail: apt.complaints },
    );
  }
  const names = [...required, ...optional.filter((name) => there.has(name))];
  const system = await packageClosure(apt, names, suite);
  if (!system.ok) return system;
  const compiler = await packageClosure(apt, COMPILER, suite);
  return compiler.ok ? success({ system: system.value, compiler: compiler.value }) : compiler;
}

function readPackages(): z.infer<typeof Packages> {
  return Packages.parse(listed);
}

async function makeSystem(
  directory: string,
  packages: readonly PackageRecord[],
  apt: Apt,
): Promise<Outcome<unknown>> {
  const unpacked = await unpackSystem(directory, packages, apt);
  if (!unpacked.ok) return unpacked;
  await linkAlternatives(join(directory, 'usr/bin'));
  return success(undefined);
}

async function linkAlternatives(programs: string): Promise<void> {
  const there = new Set(await readdir(programs));
  for (const [name, candidates] of Object.entries(readPackages().alternatives)) {
    const first = candidates.find((one) => there.has(one));
    if (first !== undefined && !there.has(name)) await symlink(first, join(programs, name));
  }
}

async function makeCompiler(
  directory: string,
  packages: readonly PackageRecord[],
  apt: Apt,
): Promise<Outcome<unknown>> {
  const unpacked = await unpackPackages(apt, packages, directory);
  if (!unpacked.ok) return unpacked;
  await rm(join(directory, 'usr/share'), { recursive: true, force: true });
  await mergeUsr(directory);
  await useOwnLoader(directory);
  await linkPlainNames(join(directory, 'usr/bin'));
  return success(undefined);
}
