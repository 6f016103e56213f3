import type { FileSystem } from '../file-systems.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import type { BuildOptions, Kernel, KernelContext } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { type Outcome, success } from '../outcome.js';
import { prepareMachine, prepareModule } from '../run/prepare.js';
import { type VariantKernel, variantKernel } from '../variant/kernel.js';
import { fullBuildSpec } from '../variant/reach.js';
import { BASE, type Variant } from '../variant/variant.js';
import type { Cell } from './plan.js';

export interface PreparedCells {
  /** What variants share that need no kernel of their own. */
  machine: Omit<Prepared, 'module'>;
  /** What a cell is run with, or why its variant could not be applied or built. */
  of: (cell: Cell) => Outcome<Prepared>;
}

export interface ComparedKernel {
  /** Without changes. */
  kernel: Kernel;
  /** How the kernel of a variant is built that takes one of its own. */
  build: BuildOptions;
}

/**
 * Everything that guests need, before the first of them: each variant's kernel, where its changes
 * take one, and its module for each file system, built once. A variant that does not apply or build
 * does not keep the others from running.
 */
export async function prepareCells(
  cells: readonly Cell[],
  compared: ComparedKernel,
  accelerator: AcceleratorChoice,
  context: KernelContext,
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

/** All kernels that guests of these cells get, the one without changes first. */
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

/** One after the other: make uses all cores. */
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
 * The kernel that a comparison is made on. Where one variant takes a full build, all of them get
 * one: what differs between them is then the change alone, and not the configuration too.
 */
export async function comparedSpec(
  spec: string,
  variants: readonly Variant[],
  context: KernelContext,
): Promise<string> {
  for (const variant of variants) {
    const full = await fullBuildSpec(spec, variant, context);
    // What cannot be read or built is told with its variant.
    if (!full.ok || !full.value || full.value.spec === spec) continue;
    const text = `${full.value.why}. All variants are compared on it`;
    context.progress({ type: 'note', text });
    return full.value.spec;
  }
  return spec;
}
