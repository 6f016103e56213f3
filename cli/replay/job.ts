import { type ComparedKernels, comparedKernels } from '../compare/kernels.js';
import type { Cell } from '../compare/plan.js';
import { kernelsOf, type PreparedCells, prepareCells } from '../compare/prepare.js';
import { runComparison } from '../compare/run.js';
import { contextDifferences } from '../diff/context.js';
import type { FileSystem } from '../file-systems.js';
import { escapeForTerminal } from '../findings/escape.js';
import { keepInputs } from '../inputs/keep.js';
import { conclude, type Job, type OpenJob, openRun, setUp } from '../job/job.js';
import type { Kernel } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type Outcome, success } from '../outcome.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { emulatorsOf } from '../power-cut/tools.js';
import type { RunResult } from '../results/run-result.js';
import { describeHost } from '../run/host.js';
import { withVersions } from '../run/suite.js';
import { describeTools } from '../run/tools.js';
import { suiteOf } from '../run/unit-result.js';
import type { ReplayPlan } from './plan.js';
import { asSide, type ReplayResult, replayOf } from './result.js';
import type { Target } from './target.js';

export interface ReplayJobOptions {
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  out?: string;
}

/** `daxrepro replay`: runs units of a kept run or a bundle again and compares the results. */
export async function replayJob(
  target: Target,
  plan: ReplayPlan,
  options: ReplayJobOptions,
  open: OpenJob,
): Promise<Outcome<ReplayResult>> {
  const { brought } = target;
  const planned = plan.cells.map(({ request }) => request);
  const changes = planned.flatMap(({ variant }) => variant.changes);
  const job = await setUp(open, planned, {
    changes,
    brought: brought !== undefined,
    refuse: false,
  });
  if (!job.ok) return job;
  const [{ request }] = plan.cells as [Cell];
  const kernels = await kernelsFor(target, planned, open);
  const [none] = kernels.values();
  if (none && !none.ok && readyKernels(kernels).length === 0) return none;
  const requests = planned.map((one) => withVersions(one, job.value));
  const keeping = {
    checkpoints: options.checkpoint !== false,
    together: plan.together !== undefined,
  };
  const first = { fs: request.fs, test: request.tests[0] ?? '' };
  const run = await openRun(job.value, options.out, first, {
    ...{ requests, ...keeping, kernels: readyKernels(kernels) },
  });
  if (!run.ok) return run;
  const { directory } = run.value;
  // Run from the new copies, because the first run may be deleted meanwhile.
  for (const [index, kept] of run.value.requests.entries()) {
    const cell = plan.cells[index];
    if (cell) cell.request = kept;
  }
  const prepared = await prepareReplay(target, plan, kernels, job.value);
  if (!prepared.ok) return prepared;
  const replayed = { target, plan, prepared: prepared.value };
  const result = await runReplay(replayed, directory, keeping.checkpoints, job.value);
  const all = kernelsOf(plan.cells, kernels, prepared.value);
  if (all.length > readyKernels(kernels).length) {
    const { userTests, userland } = job.value;
    const known = { kernels: all, userTests, packages: userland.packages };
    const context = { ...keeping, directory, store: open.store, ...known };
    await keepInputs(requests, context);
  }
  return success(result);
}

/** The kernels of the requests: those of the bundle, or those that ran first. */
async function kernelsFor(
  target: Target,
  requests: readonly RunRequest[],
  open: OpenJob,
): Promise<ComparedKernels> {
  const { brought } = target;
  return comparedKernels(requests, async (request) => {
    const own = brought?.kernelFor(request);
    return own ? success(own) : recordedKernel(target, request, open);
  });
}

function readyKernels(kernels: ComparedKernels): Kernel[] {
  return [...kernels.values()].flatMap((one) => (one.ok ? one.value.kernel : []));
}

/** The version of a packaged kernel that ran first. If the mirror has it no more, the one of today. */
async function recordedKernel(
  { inputs: { inputs } }: Target,
  { kernel: spec, build }: RunRequest,
  open: OpenJob,
): Promise<Outcome<Kernel>> {
  const recorded = inputs.kernels.find((one) => one.spec === spec);
  const series = /^\d+\.\d+/.exec(recorded?.release ?? '')?.[0];
  const version = recorded?.package?.version;
  if (series === undefined || version === undefined || !spec.startsWith('debian:')) {
    return resolveKernel(spec, open, build);
  }
  const pinned = await resolveKernel(`debian:${series}=${version}`, open, build);
  if (pinned.ok) return success({ ...pinned.value, spec });
  // The mirror may have had this version then.
  if (!['kernel-unavailable', 'usage'].includes(pinned.failure.kind)) return pinned;
  open.progress({ type: 'note', text: `${pinned.failure.message}; using ${spec} as it is now` });
  return resolveKernel(spec, open, build);
}

function prepareReplay(
  { brought }: Target,
  { cells, accelerator }: ReplayPlan,
  kernels: ComparedKernels,
  job: Job,
): Promise<Outcome<PreparedCells>> {
  if (brought) return brought.prepare(accelerator, job);
  return prepareCells(cells, kernels, accelerator, job, job.suite);
}

interface Replayed {
  target: Target;
  plan: ReplayPlan;
  prepared: PreparedCells;
}

async function runReplay(
  { target, plan, prepared }: Replayed,
  directory: string,
  checkpoints: boolean,
  job: Job,
): Promise<ReplayResult> {
  const requests = plan.cells.map(({ request }) => request);
  const emulators = emulatorsOf(requests, prepared.machine.qemu, job.powerCut);
  const fileSystems = plan.cells.map(({ name }) => name.fs as FileSystem);
  const units = plan.units(
    (request) => prepared.kernelFor(request).release,
    job.suite?.version ?? '',
  );
  const [host, tools] = await Promise.all([
    describeHost(...emulators),
    describeTools(fileSystems, job.userland),
  ]);
  const versioned = units.map((unit) => ({ ...unit, suite: suiteOf(unit, job.userTests) }));
  announce(target, { host, tools, prepared, units: versioned }, job);
  job.reporter.expect(units.length);
  const running = runComparison(units, plan, {
    ...job,
    prepared,
    directory,
    checkpoints,
    together: plan.together,
    observer: job.reporter,
  });
  const run = await conclude(job, { directory, emulators, fileSystems }, running);
  const { name, notes, brought } = target;
  const compared = { of: name, notes, sameKernels: brought !== undefined };
  return { ...run, replay: replayOf(target.run, target.units, run, compared) };
}

interface Known {
  host: RunResult['host'];
  tools: NonNullable<RunResult['tools']>;
  prepared: PreparedCells;
  units: readonly Unit[];
}

/** Prints what has changed since the first run, before anything runs: the user may want to stop. */
function announce(
  { run, units, notes, brought }: Target,
  { host, tools, prepared, units: planned }: Known,
  { progress }: Job,
): void {
  const { spec, release, id } = prepared.machine.kernel;
  const versions = new Map(planned.map(({ test, suite }) => [test, suite.version]));
  // Compare the kernel without changes only: kernels of variants are not built yet.
  const base = run.result.units[0]?.kernel.id;
  const now = units.map((unit) => ({
    ...unit,
    accel: prepared.machine.accelerator,
    suite: { ...unit.suite, version: versions.get(unit.test) ?? unit.suite.version },
    ...(unit.kernel.id === base && !brought ? { kernel: { spec, release, id } } : {}),
  }));
  const predicted = { ...run.result, host, tools: { ...run.result.tools, ...tools }, units: [] };
  const differences = contextDifferences(asSide(run.result, units), asSide(predicted, now));
  const texts = differences.map(
    ({ what, before, after }) => `${what} was ${before.join(', ')}, and is ${after.join(', ')}`,
  );
  for (const text of [...notes, ...texts]) {
    progress({ type: 'note', text: escapeForTerminal(text) });
  }
}
