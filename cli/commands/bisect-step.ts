import { resolve } from 'node:path';
import { keepStepInputs } from '../bisect/keep.js';
import { outcomeOf, outcomeOfAll } from '../bisect/outcome.js';
import { replayOf } from '../bisect/replay.js';
import { STEP_EXIT, stepExitOf, stepExitOfFailure } from '../bisect/step-exit.js';
import { baseKernel, isTreeItself } from '../bisect/tree.js';
import { describeTools } from '../compare/tools.js';
import type { GitSource } from '../kernel/git-source.js';
import type { Kernel, KernelContext } from '../kernel/kernel.js';
import { openGitSource } from '../kernel/source.js';
import type { Prepared } from '../launch/prepared.js';
import { EXIT, type Failure, type Outcome, success } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { powerCutTools } from '../power-cut/tools.js';
import { runTool } from '../process/child.js';
import { formatSummary } from '../report/summary.js';
import { defaultRunsDirectory, makeRunDirectory } from '../results/run-directory.js';
import { runResult } from '../run/conclude.js';
import { runUnits } from '../run/engine.js';
import { describeHost, guestsAtATime } from '../run/host.js';
import { prepareTree } from '../run/prepare.js';
import {
  type CheckedRequest,
  checkRequest,
  type RunOptions,
  replayCommand,
  shellQuote,
} from '../run/request.js';
import { packSuite, withVersion } from '../run/suite.js';
import { defaultStore } from '../store/store.js';
import {
  ensureSystemFor,
  explain,
  inSession,
  keepResult,
  type Session,
  wantsColour,
} from './session.js';

/** The options of a step: those of `run`, but that the kernel is the tree, or one that fits it. */
export interface StepOptions extends Omit<RunOptions, 'kernel'> {
  kernel?: string;
  /** The tree under test. */
  tree: string;
  /** A revision of it; undefined: as it stands. */
  rev?: string;
  /** Only this finding is bad. */
  signature?: string;
}

/** `daxrepro bisect run <fs> <test...>`, the command of `git bisect run`: exit codes as in step-exit.ts. */
export async function bisectStepCommand(
  fs: string,
  tests: string[],
  options: StepOptions,
  argv: string[],
): Promise<number> {
  const itself = await isTreeItself(options.kernel, options.tree);
  const kernel = itself ? `src:${resolve(options.tree)}` : (options.kernel as string);
  const checked = checkRequest(fs, tests, { ...options, kernel });
  if (!checked.ok) return stop(checked.failure);
  return inSession(async (session) => {
    const stepped = await step(checked.value, { ...options, kernel }, itself, argv, session);
    if (stepped.ok) return stepped.value;
    return session.signal.aborted ? EXIT.interrupted : stop(stepped.failure, session);
  });
}

function stop(failed: Failure, session?: Session): number {
  explain(failed, session?.reporter);
  const code = stepExitOfFailure(failed);
  say(code === STEP_EXIT.unknown ? 'cannot tell: it is passed over' : 'the bisection is stopped');
  return code;
}

async function step(
  checked: CheckedRequest,
  options: StepOptions & { kernel: string },
  itself: boolean,
  argv: string[],
  session: Session,
): Promise<Outcome<number>> {
  const { request } = checked;
  const { reporter, signal } = session;
  const started = new Date();
  const system = await ensureSystemFor(request, [], session);
  if (!system.ok) return system;
  const progress = reporter.progress.bind(reporter);
  const context: KernelContext = { store: defaultStore(), progress, signal };
  const cutting = await powerCutTools([request], context.store, signal);
  if (!cutting.ok) return cutting;
  const suite = await packSuite(request.suite, context);
  if (!suite.ok) return suite;
  const step = await prepareStep(checked, options, itself, context, suite.value);
  if (!step.ok) return step;
  const { prepared: plain, ...built } = step.value;
  const prepared = { ...plain, powerCut: cutting.value };

  const named = await replayOptions(options, itself);
  const units = planUnits(withVersion(request, suite.value), prepared.kernel.release);
  const parent = options.out ?? defaultRunsDirectory();
  const directory = makeRunDirectory(parent, units[0] as Unit, started);
  if (!directory.ok) return directory;
  const checkpoints = options.checkpoint !== false;
  const inputs = await keepStepInputs(
    withVersion(request, suite.value),
    { ...built, rev: options.rev },
    {
      ...{ directory: directory.value, store: context.store, checkpoints },
      ...{ kernels: [prepared.kernel], tree: resolve(options.tree), signal },
    },
  );
  if (!inputs.ok) return inputs;
  reporter.expect(units.length);
  const [results, host, tools] = await Promise.all([
    runUnits(units, {
      prepared: () => prepared,
      directory: directory.value,
      jobs: checked.jobs ?? guestsAtATime(units, checkpoints),
      store: context.store,
      checkpoints,
      progress,
      replay: (unit) =>
        replayOf(replayCommand(unit, request), { command: 'bisect run', options: named }),
      observer: reporter,
      // One that is bad decides.
      isLast: (result) => outcomeOf(result, options.signature) === 'bad',
      signal,
    }),
    describeHost(prepared.powerCut?.qemu ?? prepared.qemu),
    describeTools([request.fs]),
  ]);
  reporter.end();
  const result = { ...runResult(argv, started, results, host, directory.value), tools };
  const outcome = outcomeOfAll(results.map((unit) => outcomeOf(unit, options.signature)));
  // A result that could not be kept is a broken harness too.
  const kept = keepResult(result, STEP_EXIT.good) === STEP_EXIT.good;
  const text = options.json
    ? JSON.stringify(result, null, 2)
    : formatSummary(result, { colour: wantsColour() });
  process.stdout.write(`${text}\n`);
  if (signal.aborted) return success(EXIT.interrupted);
  say(kept ? WORDS[outcome] : WORDS.broken);
  return success(kept ? stepExitOf(outcome) : STEP_EXIT.stop);
}

const WORDS = {
  good: 'good',
  bad: 'bad',
  unknown: 'cannot tell: it is passed over',
  broken: 'the bisection is stopped',
} as const;

async function prepareStep(
  { request, accelerator }: CheckedRequest,
  { tree, rev, kernel }: StepOptions & { kernel: string },
  itself: boolean,
  context: KernelContext,
  suite: Parameters<typeof withVersion>[1],
): Promise<Outcome<{ prepared: Prepared; source: GitSource; base: Kernel | undefined }>> {
  const source = await openGitSource(tree, rev, context);
  if (!source.ok) return source;
  const build = request.build ?? {};
  const base = itself ? success(undefined) : await baseKernel(source.value, kernel, build, context);
  if (!base.ok) return base;
  const { fs } = request;
  const how = { fs, base: base.value, build, accelerator, suite };
  const prepared = await prepareTree(source.value, how, context);
  if (!prepared.ok) return prepared;
  return success({ prepared: prepared.value, source: source.value, base: base.value });
}

/** The tree may be another one tomorrow: it is named by the commit that is checked out. */
async function replayOptions(
  { tree, rev, kernel }: StepOptions & { kernel: string },
  itself: boolean,
): Promise<string> {
  const path = resolve(tree);
  const head = await runTool(['git', 'rev-parse', '--short=12', rev ?? 'HEAD'], { cwd: path });
  return [
    ...(itself ? [] : ['--kernel', shellQuote(kernel)]),
    ...['--tree', shellQuote(path)],
    ...(head.ok ? ['--rev', head.stdout] : []),
  ].join(' ');
}

function say(text: string): void {
  process.stderr.write(`daxrepro: git bisect: ${text}\n`);
}
