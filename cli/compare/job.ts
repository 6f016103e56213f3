import { conclude, type Job, type JobResult, type OpenJob, openRun, setUp } from '../job/job.js';
import { resolveKernel } from '../kernel/resolve.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { emulatorsOf } from '../power-cut/tools.js';
import type { Case } from '../results/case.js';
import { type CompareResult, type CompareUnit, cellResults } from '../results/compare-result.js';
import { Explainer } from '../run/explain.js';
import { buildOptionsOf } from '../run/request.js';
import { withVersion } from '../run/suite.js';
import type { CompareOptions } from './case-flags.js';
import { differencesOf } from './differences.js';
import { type ComparisonPlan, planComparison, unitsOf } from './plan.js';
import { type ComparedKernel, comparedSpec, kernelsOf, prepareCells } from './prepare.js';
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
  const requests = planned.cells.map(({ request }) => request);
  const changes = asked.variants.flatMap((variant) => variant.changes);
  const job = await setUp(open, requests, { changes, accelerator: planned.accelerator });
  if (!job.ok) return job;
  const spec = await comparedSpec(asked.kernel, asked.variants, open);
  const of = { ...asked, kernel: spec };
  const plan = spec === asked.kernel ? success(planned) : planComparison(of, options);
  if (!plan.ok) return plan;
  const build = buildOptionsOf(options) ?? {};
  const kernel = await resolveKernel(spec, open, build);
  if (!kernel.ok) return kernel;
  const compared = { kernel: kernel.value, build };
  const units = await runCells(of, plan.value, compared, { options, job: job.value });
  return units.ok ? success(withDifferences(of, units.value, options)) : units;
}

type Compared = JobResult<CompareUnit>;

async function runCells(
  of: Case,
  plan: ComparisonPlan,
  compared: ComparedKernel,
  { options, job }: { options: CompareOptions; job: Job },
): Promise<Outcome<Compared>> {
  const { kernel } = compared;
  const { accelerator, cells } = plan;
  const prepared = await prepareCells(cells, compared, accelerator, job, job.suite);
  if (!prepared.ok) return prepared;
  const units = unitsOf(cells, kernel.release, job.suite);
  const checkpoints = options.checkpoint !== false;
  const run = await openRun(job, options.out, units[0] as Unit, {
    requests: cells.map(({ request }) => withVersion(request, job.suite)),
    kernels: kernelsOf(cells, kernel, prepared.value),
    caseFile: of.file,
    checkpoints,
    together: options.together === true,
  });
  if (!run.ok) return run;
  const context = {
    ...job,
    kernel,
    prepared: prepared.value,
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
  const emulators = emulatorsOf(units, prepared.value.machine.qemu, job.powerCut);
  const place = { directory: run.value.directory, emulators, fileSystems: of.fileSystems };
  return success(await conclude(job, place, running));
}

function withDifferences(of: Case, ran: Compared, options: CompareOptions): CompareResult {
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
