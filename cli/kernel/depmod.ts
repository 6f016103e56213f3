import type { Outcome } from '../outcome.js';
import { systemPath } from '../system/programs.js';
import { tool } from './tool.js';

/** Writes modules.dep and its kin into `directory`/lib/modules/`release`. */
export async function depmod(
  directory: string,
  release: string,
  signal?: AbortSignal,
): Promise<Outcome<unknown>> {
  return tool(
    ['depmod', '-b', directory, release],
    { cannot: `Cannot index the modules of ${release}` },
    // It is in /usr/sbin, which ordinary users have not in their PATH.
    { env: { PATH: systemPath() }, ...(signal ? { signal } : {}) },
  );
}
