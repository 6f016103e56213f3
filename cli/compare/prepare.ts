import type { FileSystem } from '../file-systems.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { type MachineContext, prepareMachine, prepareModule } from '../run/prepare.js';
import { UNKNOWN_KERNEL } from '../run/unprepared.js';
import { type VariantKernel, variantKernel } from '../variant/kernel.js';
import { BASE, type Variant } from '../variant/variant.js';
import { type ComparedKernels, kernelKey } from './kernels.js';
import type { Cell } from './plan.js';

type Machine = Omit<Prepared, 'module'>;

export interface PreparedCells {
  /** Shared by all variants that do not need their own kernel; that of the first kernel if there are several. */
  machine: Machine;
  /** Kernel, module and guest image of a cell, or why its variant does not apply or build. */
  of: (cell: Cell) => Outcome<Prepared>;
  /** The kernel of a request without its changes, as far as it is known. */
  kernelFor: (request: RunRequest) => Pick<Kernel, 'release' | 'id'>;
}

/**
 * Prepares everything before the first guest starts: each variant's kernel, if its changes need one,
 * and its module for each file system, built once. If a variant does not apply or build, the others run,
 * and of several kernels those that can be prepared.
 */
export async function prepareCells(
  cells: readonly Cell[],
  compared: ComparedKernels,
  accelerator: AcceleratorChoice,
  context: MachineContext,
  suite?: TreeArchive,
): Promise<Outcome<PreparedCells>> {
  const more = suite ? [suite] : [];
  const machines = new Map<string, Outcome<Machine>>();
  const prepareOne = async (kernel: Kernel) => {
    if (machines.has(kernel.id)) return;
    machines.set(kernel.id, await prepareMachine(kernel, accelerator, context, more));
  };
  const prepareBases = async () => {
    for (const one of compared.values()) if (one.ok) await prepareOne(one.value.kernel);
  };
  const [, variants] = await Promise.all([
    prepareBases(),
    prepareVariants(cells, compared, context),
  ]);
  const first = firstReady([...compared.values()], machines);
  if (!first.ok) return first;
  for (const outcome of variants.values()) if (outcome.ok) await prepareOne(outcome.value.kernel);
  const ended = [...machines.values()].find((one) => !one.ok && concernsAll(one.failure));
  if (ended && !ended.ok) return ended;
  return success({
    machine: first.value,
    of: ({ request }) => {
      const prepared = variants.get(moduleKey(request));
      if (!prepared) throw new Error(`${request.variant.name} was not prepared`);
      if (!prepared.ok) return prepared;
      const machine = machines.get(prepared.value.kernel.id);
      if (!machine) throw new Error(`${prepared.value.kernel.spec} was not prepared`);
      return machine.ok ? success({ ...machine.value, module: prepared.value.module }) : machine;
    },
    kernelFor: (request) => {
      const own = compared.get(kernelKey(request));
      return own?.ok ? own.value.kernel : UNKNOWN_KERNEL;
    },
  });
}

/** Not about one kernel: nothing can run after it. */
function concernsAll({ kind }: Failure): boolean {
  return kind === 'interrupted' || kind === 'storage';
}

/** The machine of the first kernel that has one, or else why the first has none. */
function firstReady(
  kernels: readonly Outcome<{ kernel: Kernel }>[],
  machines: ReadonlyMap<string, Outcome<Machine>>,
): Outcome<Machine> {
  const all = kernels.map((one) => (one.ok ? machines.get(one.value.kernel.id) : one));
  const failed = all.flatMap((one) => (one && !one.ok ? [one] : []));
  const ended = failed.find((one) => concernsAll(one.failure));
  const ready = all.find((one) => one?.ok) as Outcome<Machine> | undefined;
  return ended ?? ready ?? failed[0] ?? failure('usage', 'No kernel is named', 'Name one');
}

/** All kernels of these cells; those without changes come first. */
export function kernelsOf(
  cells: readonly Cell[],
  compared: ComparedKernels,
  prepared: PreparedCells,
): Kernel[] {
  const kernels = new Map<string, Kernel>();
  for (const one of compared.values()) {
    if (one.ok) kernels.set(one.value.kernel.id, one.value.kernel);
  }
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
  compared: ComparedKernels,
  context: KernelContext,
): Promise<Map<string, VariantOutcome>> {
  const prepared = new Map<string, VariantOutcome>();
  const kernels = new Map<string, Outcome<VariantKernel>>();
  for (const { request } of cells) {
    const { fs, variant } = request;
    const key = moduleKey(request);
    if (prepared.has(key)) continue;
    const base = compared.get(kernelKey(request));
    if (!base) throw new Error(`${request.kernel} was not looked up`);
    const name = JSON.stringify([kernelKey(request), variant.name]);
    const own = kernels.get(name) ?? (await kernelOf(base, variant, context));
    kernels.set(name, own);
    prepared.set(key, own.ok ? await prepareVariant(own.value, fs, variant, context) : own);
  }
  return prepared;
}

async function kernelOf(
  base: Outcome<{ kernel: Kernel; build: Parameters<typeof variantKernel>[2] }>,
  variant: Variant,
  context: KernelContext,
): Promise<Outcome<VariantKernel>> {
  if (!base.ok) return base;
  const { kernel, build } = base.value;
  return variantKernel(kernel.spec, variant, build, context, kernel);
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

function moduleKey(request: RunRequest): string {
  return JSON.stringify([request.fs, request.variant.name, kernelKey(request)]);
}
