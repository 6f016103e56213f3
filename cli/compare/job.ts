import { conclude, type Job, type JobResult, type OpenJob, openRun, setUp } from '../job/job.js';
import { unpreparedRun } from '../job/unprepared.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { emulatorsOf } from '../power-cut/tools.js';
import type { Case } from '../results/case.js';
import {
  type ComparedCase,
  type CompareResult,
  type CompareUnit,
  cellOf,
  cellResults,
} from '../results/compare-result.js';
import { Explainer } from '../run/explain.js';
import { withVersions } from '../run/suite.js';
import { isUnprepared } from '../run/unprepared.js';
import type { CompareOptions } from './case-flags.js';
import { differencesOf } from './differences.js';
import { holds } from './expectations.js';
import { findImpossible } from './impossible.js';
import { type ComparedKernels, comparedKernels, comparedSpec } from './kernels.js';
import { type ComparisonPlan, cellFinder, planComparison, unitsOf } from './plan.js';
import { kernelsOf, type PreparedCells, prepareCells } from './prepare.js';
import { compareRates, levelAt } from './rates.js';
import { runComparison } from './run.js';
import { runUntilKnown } from './until-known.js';

/** The failure if nothing could be prepared, which `--json` reports as units without a verdict. */
export interface ComparedJob {
  result: CompareResult;
  failure?: Failure;
}

/** `daxrepro compare`, with a document of `--json` even if no kernel could be prepared. */
export async function compareOrReport(
  asked: Case,
  planned: ComparisonPlan,
  options: CompareOptions,
  open: OpenJob,
): Promise<Outcome<ComparedJob>> {
  const ran = await compareJob(asked, planned, options, open);
  if (ran.ok) return success({ result: ran.value });
  if (!options.json || !isUnprepared(ran.failure)) return ran;
  const { accelerator, cells } = planned;
  const failed = ran.failure;
  const requests = cells.map(({ request }) => request);
  const unprepared = await unpreparedRun({ failed, requests, accelerator, out: options.out }, open);
  if (!unprepared.ok) return unprepared;
  const find = cellFinder(cells);
  const units = unprepared.value.units.map((unit) => {
    const { expected } = find(cellOf(unit));
    return { ...unit, expected, held: holds(unit, expected), failure: failed };
  });
  const result = withDifferences(asked, { ...unprepared.value, units }, options);
  return success({ result, failure: failed });
}

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
  /** The case, on the kernels that all its variants can be compared on. */
  of: Case;
  plan: ComparisonPlan;
  kernels: ComparedKernels;
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
  const { accelerator } = planned;
  const requests = planned.cells.map(({ request }) => request);
  const changes = asked.variants.flatMap((variant) => variant.changes);
  const impossible = await findImpossible(requests, accelerator, open);
  if (!impossible.ok) return impossible;
  const job = await setUp(open, requests, { changes, accelerator, refuse: false });
  if (!job.ok) return job;
  const isPossible = (request: RunRequest) => impossible.value(request).ok;
  const specs = await specsOf(asked, requests.filter(isPossible), open);
  const plan = replanned(asked, planned, options, specs);
  if (!plan.ok) return plan;
  const { cells } = plan.value;
  // A kernel on which no cell can work is not fetched.
  const possible = cells.filter(({ request }) => isPossible(request));
  const kernels = await comparedKernels(
    possible.map(({ request }) => request),
    ({ kernel, build }) => resolveKernel(kernel, open, build ?? {}),
  );
  const wrong = [...kernels.values()].find((one) => !one.ok && one.failure.kind === 'usage');
  if (wrong && !wrong.ok) return wrong;
  const { suite } = job.value;
  const ready = await prepareCells(possible, kernels, accelerator, job.value, suite);
  if (!ready.ok) return ready;
  const prepared = withImpossible(ready.value, impossible.value);
  const units = unitsOf(cells, (one) => prepared.kernelFor(one).release, job.value);
  const kernel = specs.get(asked.kernel) ?? asked.kernel;
  const of = asked.kernels ? asked : { ...asked, kernel };
  return success({ of, plan: plan.value, kernels, prepared, units, job: job.value });
}

/** What is run in place of each kernel, by its word. */
async function specsOf(
  { kernel, kernels = [kernel], variants }: Case,
  possible: readonly RunRequest[],
  open: OpenJob,
): Promise<Map<string, string>> {
  const specs = new Map<string, string>();
  for (const word of kernels) {
    const some = possible.some((one) => (one.askedKernel ?? one.kernel) === word);
    if (some) specs.set(word, await comparedSpec(word, variants, open));
  }
  return specs;
}

function replanned(
  asked: Case,
  planned: ComparisonPlan,
  options: CompareOptions,
  specs: ReadonlyMap<string, string>,
): Outcome<ComparisonPlan> {
  if ([...specs].every(([word, spec]) => word === spec)) return success(planned);
  const seed = planned.cells[0]?.request.seed;
  return planComparison(
    asked,
    { ...options, ...(seed === undefined ? {} : { seed: String(seed) }) },
    specs,
  );
}

function withImpossible(
  prepared: PreparedCells,
  impossible: (request: RunRequest) => Outcome<void>,
): PreparedCells {
  return {
    ...prepared,
    of: (cell) => {
      const refused = impossible(cell.request);
      return refused.ok ? prepared.of(cell) : refused;
    },
  };
}

/** A comparison without its differences. */
export type Compared = JobResult<CompareUnit>;

async function runCells(
  { of, plan, kernels, prepared, units, job }: PreparedComparison,
  options: CompareOptions,
): Promise<Outcome<Compared>> {
  const { cells } = plan;
  const checkpoints = options.checkpoint !== false;
  const run = await openRun(job, options.out, units[0] as Unit, {
    requests: cells.map(({ request }) => withVersions(request, job)),
    kernels: kernelsOf(cells, kernels, prepared),
    caseFile: of.file,
    checkpoints,
    together: options.together === true,
  });
  if (!run.ok) return run;
  const context = {
    ...{ ...job, prepared, checkpoints, directory: run.value.directory },
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

/** The case as results have it. */
export function comparedCase(of: ComparedCase): ComparedCase {
  const { file, title, kernel, kernels, variants, fileSystems, tests, pmem, powerCut } = of;
  return {
    ...{ file, title, kernel, ...(kernels ? { kernels } : {}) },
    ...{ variants, fileSystems, tests, pmem, powerCut },
  };
}

/** Adds what the variants of a case differ in to the results of its units. */
export function withDifferences(
  of: ComparedCase,
  ran: Compared,
  options: Pick<CompareOptions, 'untilKnown'>,
): CompareResult {
  const { schemaVersion, tool, command, verdict } = ran;
  const compared = comparedCase(of);
  const cells = cellResults({ case: compared, units: ran.units });
  return {
    // Put the case before its units in the JSON, for readers.
    ...{ schemaVersion, tool, command, verdict, case: compared },
    ...ran,
    differences: differencesOf(compared, cells),
    rates: compareRates(compared, cells, options.untilKnown ? levelAt : undefined),
  };
}
