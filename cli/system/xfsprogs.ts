import { execaSync } from 'execa';
import { findProgram } from './programs.js';
import { findVersion } from './versions.js';

const asked = new Map<string, string | undefined>();

/**
 * The version of this machine's mkfs.xfs, which goes into the guest: `7.2.0`. undefined if there is none, or if
 * it prints no version.
 */
export function xfsprogsVersion(): string | undefined {
  const path = findProgram('mkfs.xfs');
  if (path === undefined) return undefined;
  if (!asked.has(path)) {
    const { stdout } = execaSync(path, ['-V'], { reject: false, stdin: 'ignore', timeout: 10_000 });
    asked.set(path, findVersion(stdout ?? ''));
  }
  return asked.get(path);
}
