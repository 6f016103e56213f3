import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { KernelContext } from '../kernel/kernel.js';
import { parseSpec } from '../kernel/spec.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { checkPossible } from '../run/possible.js';
import { kernelKey } from './kernels.js';

/**
 * Cells that cannot work, such as ext2 with DAX on 7.2, found before anything is downloaded or built. On one
 * kernel, that refuses the comparison; of several kernels, the others run.
 *
 * @param requests at least one
 * @returns for each request, why it is impossible
 */
export async function findImpossible(
  requests: readonly RunRequest[],
  accelerator: AcceleratorChoice,
  context: KernelContext,
): Promise<Outcome<(request: RunRequest) => Outcome<void>>> {
  if (requests.every(({ askedKernel }) => askedKernel === undefined)) {
    const possible = await checkPossible(requests, accelerator, context);
    return possible.ok ? success(() => possible) : possible;
  }
  for (const word of new Set(requests.map(({ kernel }) => kernel))) {
    const spec = await parseSpec(word);
    if (!spec.ok) return spec;
  }
  const refused = new Map<string, Failure>();
  const known = new Set<string>();
  for (const request of requests) {
    const key = cellKind(request);
    if (known.has(key)) continue;
    known.add(key);
    const possible = await checkPossible([request, request], accelerator, context);
    // A file that is not there is a wrong word, and no cell.
    if (!possible.ok && ['interrupted', 'unreadable'].includes(possible.failure.kind)) {
      return possible;
    }
    if (!possible.ok) refused.set(key, possible.failure);
  }
  const [first] = refused.values();
  if (first && refused.size === known.size) return { ok: false, failure: first };
  return success((request) => {
    const failed = refused.get(cellKind(request));
    return failed ? { ok: false, failure: failed } : success(undefined);
  });
}

/** Requests with the same kind are possible or impossible together. */
function cellKind(request: RunRequest): string {
  const { fs, pmem, control, variant } = request;
  return JSON.stringify([kernelKey(request), fs, pmem, control, variant.changes]);
}
