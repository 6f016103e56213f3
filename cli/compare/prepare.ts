import type { FileSystem } from '../file-systems.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { type Outcome, success } from '../outcome.js';
import { type MachineContext, prepareMachine, prepareModule } from '../run/prepare.js';
import { type VariantKernel, variantKernel } from '../variant/kernel.js';
import { fullBuildSpec } from '../variant/reach.js';
import { BASE, type Variant } from '../variant/variant.js';
import type { Cell } from './plan.js';

export interface PreparedCells {
  /** Shared by all variants that do not need their own kernel. */
  machine: Omit<Prepared, 'module'>;
  /** Kernel, module and guest image of a cell, or why its variant does not apply or build. */
  of: (cell: Cell) => Outcome<Prepared>;
}

export interface ComparedKernel {
  /** The kernel without changes. */
  kernel: Kernel;
  /** Build options for variants that need their own kernel. */
  build: BuildOptions;
}

/**
 * Prepares everything before the first guest starts: each variant's kernel, if its changes need one,
 * and its module for each file system, built once. If a variant does not apply or build, the others run.
 */
export async function prepareCells(
  cells: readonly Cell[],
  compared: ComparedKernel,
  accelerator: AcceleratorChoice,
  context: MachineContext,
  suite?: TreeArchive,
): Promise<Outcome<PreparedCells>> {
  const more = suite ? [suite] : [];
  const [machine, variants] = await Promise.all([
    prepareMachine(compared.kernel, accelerator, context, more),
    prepareVariants(cells, compared, context),
  ]);
  if (!machine.ok) return machine;
  const machines = new Map([[compared.kernel.id, machine]]);
  for (const outcome of variants.values()) {
    if (!outcome.ok || machines.has(outcome.value.kernel.id)) continue;
    const own = await prepareMachine(outcome.value.kernel, accelerator, context, more);
    if (!own.ok) return own;
    machines.set(outcome.value.kernel.id, own);
  }
  return success({
    machine: machine.value,
    of: ({ request: { fs, variant } }) => {
      const prepared = variants.get(cellKey(fs, variant));
      if (!prepared) throw new Error(`${variant.name} was not prepared`);
      if (!prepared.ok) return prepared;
      const own = machines.get(prepared.value.kernel.id) ?? machine;
      return success({ ...own.value, module: prepared.value.module });
    },
  });
}

/** All kernels of these cells; the one without changes comes first. */
export function kernelsOf(
  cells: readonly Cell[],
  unchanged: Kernel,
  prepared: PreparedCells,
): Kernel[] {
  const kernels = new Map([[unchanged.id, unchanged]]);
  for (const cell of cells) {
    const own = prepared.of(cell);
    if (own.ok) kernels.set(own.value.kernel.id, own.value.kernel);
  }
  return [...kernels.values()];
}

type VariantOutcome = Outcome<Pick<Prepared, 'kernel' | 'module'>>;

/** Builds one variant at a time, because make uses all cores. */
async function prepareVariants(
  cells: readonly Cell[],
  compared: ComparedKernel,
  context: KernelContext,
): Promise<Map<string, VariantOutcome>> {
  const prepared = new Map<string, VariantOutcome>();
  const kernels = new Map<string, Outcome<VariantKernel>>();
  for (const { request } of cells) {
    const { fs, variant } = request;
    const key = cellKey(fs, variant);
    if (prepared.has(key)) continue;
    const { kernel: base, build } = compared;
    const own =
      kernels.get(variant.name) ?? (await variantKernel(base.spec, variant, build, context, base));
    kernels.set(variant.name, own);
    prepared.set(key, own.ok ? await prepareVariant(own.value, fs, variant, context) : own);
  }
  return prepared;
}

async function prepareVariant(
  { kernel, changed }: VariantKernel,
  fs: FileSystem,
  variant: Variant,
  context: KernelContext,
): Promise<VariantOutcome> {
  const module = await prepareModule(kernel, fs, changed ? BASE : variant, context);
  return module.ok ? success({ kernel, module: module.value }) : module;
}

function cellKey(fs: FileSystem, { name }: Variant): string {
  return `${fs} ${name}`;
}

/**
 * The kernel of a comparison. If one variant needs a full build, all of them get one, so that they
 * differ in the change alone and not in the configuration.
 */
export async function comparedSpec(
  spec: string,
  variants: readonly Variant[],
  context: KernelContext,
): Promise<string> {
  for (const variant of variants) {
    const full = await fullBuildSpec(spec, variant, context);
    // A failure is reported with its variant later.
    if (!full.ok || !full.value || full.value.spec === spec) continue;
    const text = `${full.value.why}. All variants are compared on it`;
    context.progress({ type: 'note', text });
    return full.value.spec;
  }
  return spec;
}
