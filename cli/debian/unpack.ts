import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { tool } from '../process/tool.js';
import { type Apt, downloadPackages, type PackageRecord } from './apt.js';

/** Downloads packages and unpacks them into `directory`, which must exist. Installs nothing. */
export async function unpackPackages(
  apt: Apt,
  packages: readonly PackageRecord[],
  directory: string,
): Promise<Outcome<unknown>> {
  const downloads = join(directory, '.downloads');
  await mkdir(downloads);
  const downloaded = await downloadPackages(apt, packages, downloads);
  if (!downloaded.ok) return downloaded;
  for (const file of await readdir(downloads)) {
    const unpacked = await tool(
      ['dpkg-deb', '-x', join(downloads, file), directory],
      { cannot: `Cannot unpack ${file}` },
      apt.signal ? { signal: apt.signal } : {},
    );
    if (!unpacked.ok) return unpacked;
  }
  await rm(downloads, { recursive: true });
  return success(undefined);
}
