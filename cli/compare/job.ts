import { conclude, type Job, type JobResult, type OpenJob, openRun, setUp } from '../job/job.js';
import type { Kernel } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { emulatorsOf } from '../power-cut/tools.js';
import type { Case } from '../results/case.js';
import {
  type ComparedCase,
  type CompareResult,
  type CompareUnit,
  cellResults,
} from '../results/compare-result.js';
import { Explainer } from '../run/explain.js';
import { withVersion } from '../run/suite.js';
import type { CompareOptions } from './case-flags.js';
import { differencesOf } from './differences.js';
import { type ComparisonPlan, planComparison, unitsOf } from './plan.js';
import { comparedSpec, kernelsOf, type PreparedCells, prepareCells } from './prepare.js';
import { compareRates, levelAt } from './rates.js';
import { runComparison } from './run.js';
import { runUntilKnown } from './until-known.js';

/** `daxrepro compare`: runs the cells of a case side by side. */
export async function compareJob(
  asked: Case,
  planned: ComparisonPlan,
  options: CompareOptions,
  open: OpenJob,
): Promise<Outcome<CompareResult>> {
  const prepared = await prepareComparison(asked, planned, options, open);
  if (!prepared.ok) return prepared;
  const units = await runCells(prepared.value, options);
  return units.ok ? success(withDifferences(prepared.value.of, units.value, options)) : units;
}

/** A comparison with everything that its guests need, before the first one starts. */
export interface PreparedComparison {
  /** The case, on the kernel that all its variants can be compared on. */
  of: Case;
  plan: ComparisonPlan;
  kernel: Kernel;
  prepared: PreparedCells;
  units: Unit[];
  job: Job;
}

export async function prepareComparison(
  asked: Case,
  planned: ComparisonPlan,
  options: CompareOptions,
  open: OpenJob,
): Promise<Outcome<PreparedComparison>> {
  const requests = planned.cells.map(({ request }) => request);
  const changes = asked.variants.flatMap((variant) => variant.changes);
  const job = await setUp(open, requests, { changes, accelerator: planned.accelerator });
  if (!job.ok) return job;
  const spec = await comparedSpec(asked.kernel, asked.variants, open);
  const of = { ...asked, kernel: spec };
  const plan = spec === asked.kernel ? success(planned) : planComparison(of, options);
  if (!plan.ok) return plan;
  const build = planned.cells[0]?.request.build ?? {};
  const kernel = await resolveKernel(spec, open, build);
  if (!kernel.ok) return kernel;
  const { accelerator, cells } = plan.value;
  const compared = { kernel: kernel.value, build };
  const prepared = await prepareCells(cells, compared, accelerator, job.value, job.value.suite);
  if (!prepared.ok) return prepared;
  const units = unitsOf(cells, kernel.value.release, job.value.suite);
  const ready = { kernel: kernel.value, prepared: prepared.value, units, job: job.value };
  return success({ of, plan: plan.value, ...ready });
}

/** A comparison without its differences. */
export type Compared = JobResult<CompareUnit>;

async function runCells(
  { of, plan, kernel, prepared, units, job }: PreparedComparison,
  options: CompareOptions,
): Promise<Outcome<Compared>> {
  const { cells } = plan;
  const checkpoints = options.checkpoint !== false;
  const run = await openRun(job, options.out, units[0] as Unit, {
    requests: cells.map(({ request }) => withVersion(request, job.suite)),
    kernels: kernelsOf(cells, kernel, prepared),
    caseFile: of.file,
    checkpoints,
    together: options.together === true,
  });
  if (!run.ok) return run;
  const context = {
    ...job,
    kernel,
    prepared,
    directory: run.value.directory,
    checkpoints,
    together: options.together,
    observer: job.reporter,
    explainer: options.explain ? new Explainer() : undefined,
  };
  job.reporter.expect(units.length);
  const runSome = (some: readonly Unit[]) => runComparison(some, plan, context);
  const running = options.untilKnown
    ? runUntilKnown(of, units, runSome, job.signal)
    : runSome(units);
  const emulators = emulatorsOf(units, prepared.machine.qemu, job.powerCut);
  const place = { directory: run.value.directory, emulators, fileSystems: of.fileSystems };
  return success(await conclude(job, place, running));
}

/** Adds what the variants of a case differ in to the results of its units. */
export function withDifferences(
  of: ComparedCase,
  ran: Compared,
  options: Pick<CompareOptions, 'untilKnown'>,
): CompareResult {
  const { file, title, kernel, variants, fileSystems, tests, pmem, powerCut } = of;
  const { schemaVersion, tool, command, verdict } = ran;
  const compared = { file, title, kernel, variants, fileSystems, tests, pmem, powerCut };
  const cells = cellResults({ case: compared, units: ran.units });
  return {
    // Put the case before its units in the JSON, for readers.
    ...{ schemaVersion, tool, command, verdict, case: compared },
    ...ran,
    differences: differencesOf(compared, cells),
    rates: compareRates(compared, cells, options.untilKnown ? levelAt : undefined),
  };
}
