import { resolve } from 'node:path';
import {
  conclude,
  type Job,
  type JobResult,
  type OpenJob,
  openDirectory,
  setUp,
} from '../job/job.js';
import type { GitSource } from '../kernel/git-source.js';
import type { Kernel } from '../kernel/kernel.js';
import { openGitSource } from '../kernel/source.js';
import type { Prepared } from '../launch/prepared.js';
import { type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { runTool } from '../process/child.js';
import { runUnits } from '../run/engine.js';
import { guestsAtATime } from '../run/host.js';
import { prepareTree } from '../run/prepare.js';
import { replayCommand } from '../run/replay-command.js';
import type { CheckedRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import { withVersions } from '../run/suite.js';
import { shellQuote } from '../shell-quote.js';
import { keepStepInputs } from './keep.js';
import { outcomeOf } from './outcome.js';
import { replayOf } from './replay.js';
import { baseKernel } from './tree.js';

/** The options of a step: those of `run`, but the kernel is the tree, or one that its modules fit. */
export interface StepOptions extends Omit<RunOptions, 'kernel'> {
  kernel?: string;
  /** The tree under test. */
  tree: string;
  /** A revision of it; undefined: the working tree. */
  rev?: string;
  /** The finding that makes a run bad; without it, every failure does. */
  signature?: string;
}

/** A step with checked options. */
export interface CheckedStep {
  checked: CheckedRequest;
  options: StepOptions & { kernel: string };
  /** Whether the tree is built as a whole kernel; otherwise only its module is built, for `kernel`. */
  itself: boolean;
}

/** `daxrepro bisect run`: one step of `git bisect run`. */
export async function stepJob(step: CheckedStep, open: OpenJob): Promise<Outcome<JobResult>> {
  const { options } = step;
  const { request, accelerator } = step.checked;
  // A commit that cannot be tested is skipped. It must not stop the bisection.
  const refuse = !step.itself;
  const job = await setUp(open, [request], { changes: [], accelerator, refuse });
  if (!job.ok) return job;
  const built = await buildStep(step, job.value);
  if (!built.ok) return built;
  const { source, base } = built.value;
  const { powerCut, userTests } = job.value;
  const prepared = { ...built.value.prepared, powerCut, userTests };
  const versioned = withVersions(request, job.value);
  const units = planUnits(versioned, prepared.kernel.release);
  const directory = openDirectory(open, options.out, units[0] as Unit);
  if (!directory.ok) return directory;
  const inputs = await keepStepInputs(
    versioned,
    { source, base, rev: options.rev },
    {
      ...{ directory: directory.value, store: open.store, userTests },
      packages: job.value.userland.packages,
      checkpoints: options.checkpoint !== false,
      ...{ kernels: [prepared.kernel], tree: resolve(options.tree), signal: open.signal },
    },
  );
  if (!inputs.ok) return inputs;
  return success(
    await runStep(step, units, prepared, { directory: directory.value, job: job.value }),
  );
}

async function buildStep(
  { checked, options, itself }: CheckedStep,
  job: Job,
): Promise<Outcome<{ prepared: Prepared; source: GitSource; base: Kernel | undefined }>> {
  const { request, accelerator } = checked;
  const source = await openGitSource(options.tree, options.rev, job);
  if (!source.ok) return source;
  const build = request.build ?? {};
  const base = itself
    ? success(undefined)
    : await baseKernel(source.value, options.kernel, build, job);
  if (!base.ok) return base;
  const how = { fs: request.fs, base: base.value, build, accelerator, suite: job.suite };
  const prepared = await prepareTree(source.value, how, job);
  if (!prepared.ok) return prepared;
  return success({ prepared: prepared.value, source: source.value, base: base.value });
}

async function runStep(
  step: CheckedStep,
  units: readonly Unit[],
  prepared: Prepared,
  { directory, job }: { directory: string; job: Job },
): Promise<JobResult> {
  const { checked, options } = step;
  const { request } = checked;
  const checkpoints = options.checkpoint !== false;
  const named = await replayOptions(step);
  job.reporter.expect(units.length);
  const emulators = [prepared.powerCut?.qemu ?? prepared.qemu];
  const running = runUnits(units, {
    prepared: () => prepared,
    directory,
    jobs: checked.jobs ?? guestsAtATime(units, checkpoints),
    store: job.store,
    checkpoints,
    progress: job.progress,
    replay: (unit) =>
      replayOf(replayCommand(unit, request), { command: 'bisect run', options: named }),
    observer: job.reporter,
    // The first bad unit decides the step.
    isLast: (result) => outcomeOf(result, options.signature) === 'bad',
    signal: job.signal,
  });
  return conclude(job, { directory, emulators, fileSystems: [request.fs] }, running);
}

/** Names the commit, because another one may be checked out when the command is used. */
async function replayOptions({ options, itself }: CheckedStep): Promise<string> {
  const { tree, rev, kernel } = options;
  const path = resolve(tree);
  const head = await runTool(['git', 'rev-parse', '--short=12', rev ?? 'HEAD'], { cwd: path });
  return [
    ...(itself ? [] : ['--kernel', shellQuote(kernel)]),
    ...['--tree', shellQuote(path)],
    ...(head.ok ? ['--rev', head.stdout] : []),
  ].join(' ');
}
