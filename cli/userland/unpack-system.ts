import { cp, lstat, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Apt, PackageRecord } from '../debian/apt.js';
import { unpackPackages } from '../debian/unpack.js';
import { type Outcome, success } from '../outcome.js';

/** Unpacks packages as a guest's system: all in /usr, without what only people read. */
export async function unpackSystem(
  directory: string,
  packages: readonly PackageRecord[],
  apt: Apt,
): Promise<Outcome<unknown>> {
  const unpacked = await unpackPackages(apt, packages, directory);
  if (!unpacked.ok) return unpacked;
  for (const name of ['doc', 'man', 'locale', 'info']) {
    await rm(join(directory, 'usr/share', name), { recursive: true, force: true });
  }
  await mergeUsr(directory);
  return success(undefined);
}

/** Packages before Debian 13 have /bin, /sbin and /lib, which are links to /usr on an installed system. */
export async function mergeUsr(directory: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const own = join(directory, name);
    const found = await lstat(own).catch(() => undefined);
    if (found?.isDirectory()) {
      await cp(own, join(directory, 'usr', name), { recursive: true, verbatimSymlinks: true });
      await rm(own, { recursive: true });
    }
    if (!found?.isSymbolicLink()) await symlink(`usr/${name}`, own);
  }
}
