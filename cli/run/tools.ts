import { execa } from 'execa';
import type { FileSystem } from '../file-systems.js';
import type { CompareResult } from '../results/compare-result.js';

/** Versions of the host's programs, which are also the guest's: a mail reports them. */
export async function describeTools(
  fileSystems: readonly FileSystem[],
): Promise<CompareResult['tools']> {
  const [e2fsprogs, xfsprogs] = await Promise.all([
    fileSystems.some((fs) => fs !== 'xfs') ? versionOf('e2fsck') : undefined,
    fileSystems.includes('xfs') ? versionOf('xfs_repair') : undefined,
  ]);
  return { ...(e2fsprogs ? { e2fsprogs } : {}), ...(xfsprogs ? { xfsprogs } : {}) };
}

/** `e2fsck 1.47.0 (5-Feb-2023)` on stderr, `xfs_repair version 6.1.0` on stdout. */
async function versionOf(program: string): Promise<string | undefined> {
  const { all } = await execa(program, ['-V'], { reject: false, all: true, stdin: 'ignore' });
  return /\b\d+\.\d[\w.-]*/.exec(all?.split('\n')[0] ?? '')?.[0];
}
