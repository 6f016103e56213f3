import type { Outcome } from '../outcome.js';
import { tool } from '../process/tool.js';
import { systemPath } from '../system/programs.js';

/** Writes modules.dep and related files into `directory`/lib/modules/`release`. */
export async function depmod(
  directory: string,
  release: string,
  signal?: AbortSignal,
): Promise<Outcome<unknown>> {
  return tool(
    ['depmod', '-b', directory, release],
    { cannot: `Cannot index the modules of ${release}` },
    // depmod is in /usr/sbin, which is not in the PATH of ordinary users.
    { env: { PATH: systemPath() }, ...(signal ? { signal } : {}) },
  );
}
