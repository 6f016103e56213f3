import { type Job, type OpenJob, setUp } from '../job/job.js';
import { type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { RunRequest } from '../plan/unit.js';
import type { BisectionResult, Ending } from '../results/bisect-result.js';
import { writeJson } from '../results/run-directory.js';
import { describeHost, guestsAtATime } from '../run/host.js';
import { checkPossible } from '../run/possible.js';
import { describeTools } from '../run/tools.js';
import { orStorageFailure } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { version } from '../version.js';
import { answerOf, culpritsOf } from './answer.js';
import { begin, type OpenBisection } from './begin.js';
import { Engine } from './engine.js';
import { keepBisectionInputs } from './keep.js';
import { describeBuild, describeRun, introduce } from './notes.js';
import type { BisectOptions, CheckedBisection } from './request.js';
import { pathOf } from './result.js';
import { writeState } from './state.js';
import { type Subject, seriesSubject, treeSubject } from './subject.js';
import { KernelWork } from './work.js';

/** `daxrepro bisect`: finds the first bad change, and writes result.json. */
export async function bisectJob(
  asked: CheckedBisection,
  options: BisectOptions,
  open: OpenJob,
): Promise<Outcome<BisectionResult>> {
  const { of, checked } = asked;
  const { request } = checked;
  const changes = of.type === 'series' ? [of.file] : [];
  const { accelerator } = checked;
  const possible = await checkPossible(endsOf(asked), accelerator, open);
  if (!possible.ok) return possible;
  const job = await setUp(open, [request], { changes, accelerator, refuse: false });
  if (!job.ok) return job;
  const subject =
    of.type === 'tree'
      ? await treeSubject(request, of, open)
      : await seriesSubject(request, of.file, open);
  if (!subject.ok) return subject;
  const begun = begin(subject.value, options, job.value);
  if (!begun.ok) return begun;
  const { directory, state } = begun.value;
  open.progress({ type: 'note', text: introduce(subject.value, state) });
  const bisection = { ...begun.value, asked, options, job: job.value, subject: subject.value };
  const work = workOf(bisection);
  const ended = await orStorageFailure(directory, () => engineOf(bisection, work).go());
  if (!ended.ok) {
    const text = `${state.runs.length} runs and ${state.builds.length} builds are kept; continue with --resume`;
    open.progress({ type: 'note', text });
    return ended;
  }
  await keepInputs(bisection, work);
  const result = await resultOf(bisection, ended.value, work);
  return orStorageFailure(directory, async () => {
    writeJson(`${directory}/result.json`, result);
    return success(result);
  });
}

/** Whole trees are built of commits, so both ends have to be possible. */
function endsOf({ of, checked: { request } }: CheckedBisection): RunRequest[] {
  if (of.type !== 'tree' || of.kernel !== undefined) return [request];
  const { good, bad } = of.range;
  return [good, bad].map((end) => ({ ...request, kernel: `src:${of.tree}@${end}` }));
}

interface Bisection extends OpenBisection {
  asked: CheckedBisection;
  options: BisectOptions;
  job: Job;
  subject: Subject;
}

function workOf({ asked, options, job, subject, state, directory }: Bisection): KernelWork {
  return new KernelWork({
    ...{ subject, state, directory },
    accelerator: asked.checked.accelerator,
    suite: job.suite,
    signature: options.signature,
    checkpoints: options.checkpoint !== false,
    powerCut: job.powerCut,
    userTests: job.userTests,
    observer: job.reporter,
    context: job,
  });
}

function engineOf(
  { asked, options, job, subject, state, directory }: Bisection,
  work: KernelWork,
): Engine {
  const units = planUnits(subject.request, '6.1');
  const jobs = asked.checked.jobs ?? guestsAtATime(units, options.checkpoint !== false);
  return new Engine(
    subject.plan,
    state,
    {
      prepare: work.prepare,
      run: work.run,
      buildSeconds: work.buildSeconds,
      learned: (what, known, { decision }) => {
        writeState(directory, known);
        const text =
          what === 'run'
            ? describeRun(subject, known, decision.best.probability)
            : describeBuild(known);
        if (text) job.progress({ type: 'note', text });
      },
    },
    { limits: asked.limits, jobs, signal: job.signal },
  );
}

/** The answer is reported even if the inputs cannot be kept. */
async function keepInputs(
  { options, job, subject, state, directory }: Bisection,
  work: KernelWork,
): Promise<void> {
  const kept = await keepBisectionInputs(subject, state, {
    ...{ directory, ready: job, checkpoints: options.checkpoint !== false },
    ...{ kernels: [...work.kernels.values()], store: job.store, signal: job.signal },
    userTests: job.userTests,
    packages: job.userland.packages,
  });
  if (kept.ok) return;
  const text = `the inputs could not be kept, so this bisection can be neither replayed nor bundled: ${kept.failure.message}`;
  job.progress({ type: 'note', text });
}

async function resultOf(
  { asked, options, job, subject, state, directory }: Bisection,
  ending: Ending,
  work: KernelWork,
): Promise<BisectionResult> {
  const { limits, checked } = asked;
  const { plan, names } = subject;
  const { tests, fs } = checked.request;
  const qemu = work.qemu ?? findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64';
  const culprits = await culpritsOf(subject, state, ending);
  return {
    schemaVersion: 1,
    tool: { name: 'daxrepro', version: version() },
    command: job.argv,
    question: {
      ...{ fs, tests, signature: options.signature ?? null, kernel: options.kernel ?? '' },
      ...names,
      ...{ changes: plan.changes.length, builds: plan.builds.length },
      ...limits,
    },
    answer: answerOf(plan, state, ending, culprits, limits),
    path: pathOf(plan, state),
    runs: state.runs,
    builds: state.builds,
    host: await describeHost(qemu),
    tools: await describeTools([fs], job.userland),
    started: job.started.toISOString(),
    durationSeconds: Math.round((Date.now() - job.started.getTime()) / 10) / 100,
    directory,
  };
}
