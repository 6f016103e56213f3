import type { FileSystem } from '../file-systems.js';
import { versionIn } from '../guest/tool-versions.js';
import { HOST_USERLAND, type Userland } from '../guest/userland.js';
import type { CompareResult } from '../results/compare-result.js';

/** Versions of the guest's programs: a mail reports them. */
export async function describeTools(
  fileSystems: readonly FileSystem[],
  userland: Userland = HOST_USERLAND,
): Promise<CompareResult['tools']> {
  const [e2fsprogs, xfsprogs] = await Promise.all([
    fileSystems.some((fs) => fs !== 'xfs') ? versionIn(userland, 'e2fsck') : undefined,
    fileSystems.includes('xfs') ? versionIn(userland, 'xfs_repair') : undefined,
  ]);
  return {
    ...(e2fsprogs ? { e2fsprogs } : {}),
    ...(xfsprogs ? { xfsprogs } : {}),
    ...(userland.root === '' ? {} : { userland: userland.name }),
    ...Object.fromEntries((userland.packages ?? []).map(({ name, from }) => [`${name}From`, from])),
  };
}
