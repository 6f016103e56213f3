import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Apt, openApt, type PackageRecord, packageClosure } from '../debian/apt.js';
import { linkPlainNames, useOwnLoader } from '../debian/own-loader.js';
import { suitesFor } from '../debian/suites.js';
import { unpackPackages } from '../debian/unpack.js';
import { type Outcome, success } from '../outcome.js';
import { compilerSuffices } from '../system/compiler.js';
import { relocateHeaders } from './headers.js';
import type { KernelContext } from './kernel.js';
import { hostLibc, type KernelPackages, libcSuffices } from './packages.js';

/**
 * The packages that modules of a kernel are built with: its headers and, where this machine's compiler is too old or
 * kbuild's programs need a newer C library, the compiler and everything else that they need.
 */
export interface BuildPackages {
  packages: PackageRecord[];
  /** `gcc-16`, if it is among them. */
  compiler?: string;
}

/** Asks the mirror for more only if this machine cannot build. */
export async function chooseBuildPackages(
  packages: KernelPackages,
  apt: Apt,
  { progress }: Pick<KernelContext, 'progress'>,
): Promise<Outcome<BuildPackages>> {
  const { headers, libc, release } = packages;
  const own: BuildPackages = { packages: headers };
  const compiler = compilerIn(headers);
  const has = compiler === undefined || (await compilerSuffices(compiler));
  if (has && libcSuffices(libc, hostLibc())) return success(own);
  const why = has
    ? `its build tools need C library ${libc}, newer than this machine's ${hostLibc()}`
    : `this machine has no ${compiler} or newer`;
  progress({
    type: 'note',
    text: `Modules of ${release} are built with Debian's ${compiler ?? 'compiler'}: ${why}`,
  });
  const whole = await withBaseSuites(apt);
  if (!whole.ok) return whole;
  const names = headers.map(({ name, version }) => `${name}=${version}`);
  const all = await packageClosure(whole.value, names);
  if (!all.ok) {
    if (all.failure.kind === 'interrupted') return all;
    const text = `Debian's ${compiler ?? 'compiler'} cannot be had (${all.failure.message}): modules cannot be built for ${release} here`;
    progress({ type: 'note', text });
    return success(own);
  }
  const found = compiler ?? compilerIn(all.value);
  return success({ packages: all.value, ...(found === undefined ? {} : { compiler: found }) });
}

/** `gcc-16` of the dependency `gcc-16-for-host`, or `gcc-12` of `linux-compiler-gcc-12-x86`. */
function compilerIn(headers: readonly PackageRecord[]): string | undefined {
  const found = headers.flatMap(({ depends }) => /\bgcc-\d+\b/.exec(depends)?.[0] ?? []);
  return found[0];
}

/** Backports and security updates hold only what differs from another suite. */
async function withBaseSuites(apt: Apt): Promise<Outcome<Apt>> {
  const suites = [...new Set(apt.suites.flatMap(suitesFor))];
  if (suites.every((suite) => apt.suites.includes(suite))) return success(apt);
  const directory = join(apt.directory, 'with-base-suites');
  await mkdir(directory);
  return openApt(directory, suites, apt.signal);
}

/** Nothing there is needed to build modules. */
const UNUSED = ['etc', 'var', 'usr/share'];

/** Unpacks them into `directory`, ready for use. */
export async function unpackBuildPackages(
  { packages, compiler }: BuildPackages,
  apt: Apt,
  directory: string,
): Promise<Outcome<unknown>> {
  const unpacked = await unpackPackages(apt, packages, directory);
  if (!unpacked.ok) return unpacked;
  for (const path of UNUSED) await rm(join(directory, path), { recursive: true, force: true });
  await relocateHeaders(directory);
  if (compiler === undefined) return success(undefined);
  await useOwnLoader(directory);
  const programs = join(directory, 'usr/bin');
  await linkPlainNames(programs);
  return success(undefined);
}
