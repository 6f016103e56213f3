import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { type Outcome, success } from '../outcome.js';
import type { FileSystem } from '../plan/unit.js';
import { type Prepared, prepareMachine, prepareModule } from '../run/prepare.js';
import type { Variant } from '../variant/variant.js';
import type { Cell } from './plan.js';

export interface PreparedCells {
  /** What all of them share. */
  machine: Omit<Prepared, 'module'>;
  /** What a cell is run with, or why its variant could not be applied or built. */
  of: (cell: Cell) => Outcome<Prepared>;
}

/**
 * Everything that guests need, before the first of them: each variant's module for each file
 * system, built once. A variant that does not apply or build does not keep the others from running.
 */
export async function prepareCells(
  cells: readonly Cell[],
  kernel: Kernel,
  accelerator: AcceleratorChoice,
  context: KernelContext,
): Promise<Outcome<PreparedCells>> {
  const [machine, modules] = await Promise.all([
    prepareMachine(kernel, accelerator, context),
    prepareModules(cells, kernel, context),
  ]);
  if (!machine.ok) return machine;
  const { value: shared } = machine;
  return success({
    machine: shared,
    of: ({ request: { fs, variant } }) => {
      const module = modules.get(moduleKey(fs, variant));
      if (!module) throw new Error(`${variant.name} was not prepared`);
      return module.ok ? success({ ...shared, module: module.value }) : module;
    },
  });
}

type ModuleOutcome = Awaited<ReturnType<typeof prepareModule>>;

/** One after the other: make uses all cores. */
async function prepareModules(
  cells: readonly Cell[],
  kernel: Kernel,
  context: KernelContext,
): Promise<Map<string, ModuleOutcome>> {
  const modules = new Map<string, ModuleOutcome>();
  for (const { request } of cells) {
    const key = moduleKey(request.fs, request.variant);
    if (modules.has(key)) continue;
    modules.set(key, await prepareModule(kernel, request.fs, request.variant, context));
  }
  return modules;
}

function moduleKey(fs: FileSystem, { name }: Variant): string {
  return `${fs} ${name}`;
}
