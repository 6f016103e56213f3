import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import type { FileSystem } from '../plan/unit.js';
import { type Prepared, prepare } from '../run/prepare.js';
import type { Variant } from '../variant/variant.js';
import type { Cell } from './plan.js';

/**
 * Everything that guests need, before the first of them: each variant's module for each file
 * system, built once. A variant that does not apply or build keeps the others from nothing.
 */
export async function prepareCells(
  cells: readonly Cell[],
  kernel: Kernel,
  accelerator: AcceleratorChoice,
  context: KernelContext,
): Promise<Outcome<(cell: Cell) => Outcome<Prepared>>> {
  const prepared = new Map<string, Outcome<Prepared>>();
  for (const cell of cells) {
    const { fs, variant } = cell.request;
    const key = preparationKey(fs, variant);
    if (prepared.has(key)) continue;
    const outcome = await prepare({ kernel: kernel.spec, fs, variant, accelerator }, context);
    if (!outcome.ok && outcome.failure.kind === 'interrupted') return outcome;
    prepared.set(key, outcome);
  }
  const failures = [...prepared.values()].flatMap((one) => (one.ok ? [] : [one.failure]));
  const common = failures.length === prepared.size ? failures.find(concernsAll) : undefined;
  if (common) return { ok: false, failure: common };
  return success((cell) => {
    const found = prepared.get(preparationKey(cell.request.fs, cell.request.variant));
    if (!found) throw new Error(`${cell.request.variant.name} was not prepared`);
    return found;
  });
}

/** Where nothing could be prepared, this is why there is nothing to compare, and no cell's verdict. */
function concernsAll({ kind }: Failure): boolean {
  return kind === 'usage' || kind === 'unreadable' || kind === 'program-missing';
}

function preparationKey(fs: FileSystem, { name }: Variant): string {
  return `${fs} ${name}`;
}
