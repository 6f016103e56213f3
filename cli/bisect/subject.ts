import { resolve } from 'node:path';
import { comparedSpec } from '../compare/kernels.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import { gitSource, type Repository } from '../kernel/git-source.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { openRepository } from '../kernel/source.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunRequest } from '../plan/unit.js';
import { type MachineContext, prepare, prepareTree } from '../run/prepare.js';
import { shellQuote } from '../shell-quote.js';
import { BASE } from '../variant/variant.js';
import { type ChangeFacts, commitFacts, patchFacts } from './culprit.js';
import { type GitHistory, gitHistory, type Range } from './git-history.js';
import { type BuildInputs, inputsOfTree } from './inputs.js';
import { type BisectionPlan, type Build, GOOD, planBisection } from './plan.js';
import { seriesChanges } from './series.js';
import { baseKernel } from './tree.js';

/** What is bisected: the commits of a tree or the patches of a series, behind one interface. */
export interface Subject {
  plan: BisectionPlan;
  /** The request of each run, with the kernel to report. */
  request: RunRequest;
  /** Names of the ends, for reports. */
  names: { tree?: string; good?: string; bad?: string; series?: string };
  prepare: (build: Build, more: Preparation) => Promise<Outcome<Prepared>>;
  /** Identifies the kernel of a build: for the second build on the same kernel, only a module is built. */
  kernelOf: (build: Build) => string;
  facts: (change: number) => Promise<ChangeFacts>;
  /** The inputs of a change, for a replay. Generated files go to `scratch`. */
  inputs: (change: number, scratch: string) => Promise<Outcome<BuildInputs>>;
  /** The command for one run of a change, and its options. */
  replay: (change: number) => { command: 'bisect run' | 'run'; options: string };
}

export interface Preparation {
  accelerator: AcceleratorChoice;
  suite: TreeArchive | undefined;
  context: MachineContext;
}

export async function treeSubject(
  request: RunRequest,
  { tree, kernel, range }: { tree: string; kernel: string | undefined; range: Range },
  context: KernelContext,
): Promise<Outcome<Subject>> {
  const repository = await openRepository(tree, context);
  if (!repository.ok) return repository;
  const { fs } = request;
  const history = await gitHistory(repository.value, range, fs, context.signal);
  if (!history.ok) return history;
  const { good, bad, changes, content } = history.value;
  const plan = planBisection(content, changes);
  if (!plan.ok) return plan;
  const idOf = (change: number) => (change === GOOD ? good : (changes[change]?.id ?? bad));
  const open = (change: number, signal?: AbortSignal) =>
    openCommit(repository.value, tree, idOf(change), context, signal);

  const { kernelChange } = history.value;
  const modules = { kernel, kernelChange, builds: plan.value.builds, open };
  const fitting = await fittingKernel(modules, request, context);
  if (!fitting.ok) return fitting;
  const base = fitting.value;
  return success({
    plan: plan.value,
    request,
    names: { tree: resolve(tree), good, bad },
    kernelOf: (build) => (base ? base.id : kernelOf(build)),
    prepare: async ({ change }, { accelerator, suite, context }) => {
      const source = await open(change, context.signal);
      if (!source.ok) return source;
      const { build } = request;
      return prepareTree(source.value, { fs, base, build, accelerator, suite }, context);
    },
    facts: (change) => commitFacts(repository.value, idOf(change)),
    inputs: async (change, scratch) => {
      const source = await open(change, context.signal);
      if (!source.ok) return source;
      const built = { source: source.value, tree, commit: idOf(change), base };
      return inputsOfTree(built, fs, scratch, context.signal);
    },
    replay: (change) => ({
      command: 'bisect run',
      options: [
        ...(kernel === undefined ? [] : ['--kernel', shellQuote(kernel)]),
        ...['--tree', shellQuote(resolve(tree)), '--rev', idOf(change).slice(0, 12)],
      ].join(' '),
    }),
  });
}

interface ModulesAlone {
  /** `--kernel`, for the modules of all commits; undefined to build each commit's own kernel. */
  kernel: string | undefined;
  kernelChange: GitHistory['kernelChange'];
  builds: readonly Build[];
  open: (change: number) => ReturnType<typeof openCommit>;
}

/** Finds the kernel for the modules of all commits, and checks that it fits each of them. */
async function fittingKernel(
  { kernel, kernelChange, builds, open }: ModulesAlone,
  request: RunRequest,
  context: KernelContext,
): Promise<Outcome<Kernel | undefined>> {
  if (kernel === undefined) return success(undefined);
  if (kernelChange) {
    const { id, title, path } = kernelChange;
    return failure(
      'usage',
      `${id.slice(0, 12)} (“${title}”) changes ${path}: modules built for ${kernel} would not test that`,
      'Leave --kernel out: daxrepro then builds whole kernels, one for all commits that share it',
    );
  }
  let base: Kernel | undefined;
  // Commits on side branches may need another kernel than the good commit.
  const parts = new Map(builds.map((build) => [kernelOf(build), build]));
  for (const { change } of parts.values()) {
    const source = await open(change);
    if (!source.ok) return source;
    const checked = await baseKernel(source.value, kernel, request.build ?? {}, context);
    if (!checked.ok) return checked;
    base = checked.value;
  }
  return success(base);
}

function kernelOf({ content }: Build): string {
  return content.split(' ')[0] ?? '';
}

function openCommit(
  repository: Repository,
  tree: string,
  id: string,
  { store }: KernelContext,
  signal?: AbortSignal,
) {
  return gitSource(`src:${tree}@${id.slice(0, 12)}`, repository, id, store, signal);
}

export async function seriesSubject(
  request: RunRequest,
  file: string,
  context: KernelContext,
): Promise<Outcome<Subject>> {
  const { fs } = request;
  const series = { name: 'series', changes: [resolve(file)] };
  const history = await seriesChanges(series, fs, context);
  if (!history.ok) return history;
  const { changes, content, variants } = history.value;
  const plan = planBisection(content, changes);
  if (!plan.ok) return plan;
  const kernel = await comparedSpec(request.kernel, variants, context);
  const variantOf = (change: number) => (change === GOOD ? BASE : (variants[change] ?? BASE));
  return success({
    plan: plan.value,
    request: { ...request, kernel },
    names: { series: resolve(file) },
    // Only applying a patch shows whether it needs a full build, so assume one kernel.
    kernelOf: () => kernel,
    prepare: ({ change }, { accelerator, suite, context }) =>
      prepare(
        { kernel, fs, variant: variantOf(change), build: request.build, accelerator, suite },
        context,
      ),
    facts: (change) => patchFacts(variantOf(change), context),
    inputs: async (change) => {
      const { changes, steps } = variantOf(change);
      return success({ kernel, changes, ...(steps === undefined ? {} : { steps }) });
    },
    replay: (change) => ({
      command: 'run',
      options: change === GOOD ? '' : `--patch ${shellQuote(resolve(file))} --steps ${change + 1}`,
    }),
  });
}
