import { choiceWithoutTrial } from '../guest/accelerator.js';
import { ImageBudget } from '../launch/images.js';
import { unitArgv } from '../launch/launch.js';
import type { Prepared } from '../launch/prepared.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { RunRequest, Unit } from '../plan/unit.js';
import { knownDurations, learnDurations } from '../run/durations.js';
import { type EngineContext, runUnits } from '../run/engine.js';
import { Explainer } from '../run/explain.js';
import { guestsAtATime } from '../run/host.js';
import { prepare } from '../run/prepare.js';
import { prepareDry } from '../run/prepare-dry.js';
import { replayCommand } from '../run/replay-command.js';
import type { CheckedRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { withVersions } from '../run/suite.js';
import { isUnprepared } from '../run/unprepared.js';
import { expectationFor } from '../suite/expected.js';
import { conclude, type Job, type JobResult, type OpenJob, openRun, setUp } from './job.js';
import { unpreparedRun } from './unprepared.js';

/** `daxrepro run`: the units of one request, on one kernel. */

export type RunJob =
  /** The distinct command lines of QEMU. */
  | { type: 'dry-run'; argvs: string[][] }
  /** The failure if no unit could be prepared. */
  | { type: 'ran'; result: JobResult; failure?: Failure };

export async function runJob(
  checked: CheckedRequest,
  options: RunOptions,
  open: OpenJob,
): Promise<Outcome<RunJob>> {
  const ran = await prepareAndRun(checked, options, open);
  if (ran.ok || options.dryRun || !options.json || !isUnprepared(ran.failure)) return ran;
  const { request, accelerator } = checked;
  const result = await unpreparedRun(
    { failed: ran.failure, requests: [request], accelerator, out: options.out },
    open,
  );
  return result.ok ? success({ type: 'ran', result: result.value, failure: ran.failure }) : result;
}

async function prepareAndRun(
  checked: CheckedRequest,
  options: RunOptions,
  open: OpenJob,
): Promise<Outcome<RunJob>> {
  const run = await prepareRun(checked, options, open);
  if (!run.ok) return run;
  const { units, prepared, job } = run.value;
  if (options.dryRun) return success({ type: 'dry-run', argvs: commandLines(units, prepared) });
  const result = await runPlanned(units, prepared, { checked, options, job });
  return result.ok ? success({ type: 'ran', result: result.value }) : result;
}

/** A run with everything that its guests need, before the first one starts. */
export interface PreparedRun {
  units: Unit[];
  prepared: Prepared;
  job: Job;
}

export async function prepareRun(
  checked: CheckedRequest,
  options: Pick<RunOptions, 'dryRun'>,
  open: OpenJob,
): Promise<Outcome<PreparedRun>> {
  const { request } = checked;
  const { changes } = request.variant;
  const job = await setUp(open, [request], { changes, accelerator: checked.accelerator });
  if (!job.ok) return job;
  const { suite, powerCut, userTests } = job.value;
  const { kernel, fs, variant, build } = request;
  const accelerator = options.dryRun
    ? await choiceWithoutTrial(checked.accelerator, open.store, job.value.qemu)
    : checked.accelerator;
  const how = { kernel, fs, variant, build, accelerator, suite };
  const prepared = await (options.dryRun ? prepareDry : prepare)(how, job.value);
  if (!prepared.ok) return prepared;
  const ready = { ...prepared.value, powerCut, userTests };
  // Changes can turn a packaged kernel into one built from the same source.
  const { spec, release } = ready.kernel;
  const units = planUnits({ ...withVersions(request, job.value), kernel: spec }, release);
  return success({ units, prepared: ready, job: job.value });
}

function commandLines(units: readonly Unit[], prepared: Prepared): string[][] {
  const lines = units.map((unit) => JSON.stringify(unitArgv(unit, prepared)));
  return [...new Set(lines)].map((line) => JSON.parse(line));
}

interface Planned {
  checked: CheckedRequest;
  options: RunOptions;
  job: Job;
}

async function runPlanned(
  units: readonly Unit[],
  prepared: Prepared,
  { checked, options, job }: Planned,
): Promise<Outcome<JobResult>> {
  const { request } = checked;
  const checkpoints = options.checkpoint !== false;
  const together = options.together === true;
  const run = await openRun(job, options.out, units[0] as Unit, {
    requests: [withVersions(request, job)],
    kernels: [prepared.kernel],
    checkpoints,
    together,
  });
  if (!run.ok) return run;
  const { directory } = run.value;
  const jobs = checked.jobs ?? guestsAtATime(units, checkpoints);
  const known = await knownDurations(job.store, {
    suite: request.suite.name,
    fs: request.fs,
    accel: prepared.accelerator,
    together,
  });
  const took = (unit: Unit) => known.get(unit.test);
  job.reporter.expect(units.length, {
    seconds: units.map(took),
    jobs: Math.min(jobs, units.length),
  });
  const engine = engineContext(prepared, directory, { checked, options, job });
  const result = await conclude(
    job,
    {
      directory,
      emulators: [prepared.powerCut?.qemu ?? prepared.qemu],
      fileSystems: [request.fs],
    },
    runUnits(units, {
      ...engine,
      jobs,
      // The longest unit goes first: started last, it would leave the other guests idle.
      ...(jobs > 1 && !request.untilFail && !request.soak ? { estimate: took } : {}),
    }),
  );
  await learnDurations(job.store, result.units);
  return success(result);
}

function engineContext(
  prepared: Prepared,
  directory: string,
  { checked, options, job }: Planned,
): Omit<EngineContext, 'jobs'> {
  const { request } = checked;
  return {
    prepared: () => prepared,
    directory,
    store: job.store,
    checkpoints: options.checkpoint !== false,
    images: new ImageBudget(checked.imageBytes),
    explainer: options.explain ? new Explainer() : undefined,
    progress: job.progress,
    expected: (unit) => expectationFor(unit, checked.expected),
    together: options.together === true,
    replay: (unit, after) => replayCommand(unit, request, after),
    observer: job.reporter,
    ...lastUnit(request),
    signal: job.signal,
  };
}

/** When to start no more units: after a failure with --until-fail, when its time is over with --soak. */
function lastUnit({ untilFail, soak }: RunRequest): Pick<EngineContext, 'isLast'> {
  if (untilFail) return { isLast: ({ verdict }) => verdict === 'fail' };
  if (soak === undefined) return {};
  const end = performance.now() + soak * 1000;
  return { isLast: () => performance.now() >= end };
}
