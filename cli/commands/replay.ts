import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cell } from '../compare/plan.js';
import { kernelsOf, prepareCells } from '../compare/prepare.js';
import { runComparison } from '../compare/run.js';
import { describeTools } from '../compare/tools.js';
import { contextDifferences } from '../diff/context.js';
import type { FileSystem } from '../file-systems.js';
import { escapeForTerminal } from '../findings/escape.js';
import { keepInputs } from '../inputs/keep.js';
import type { Kernel } from '../kernel/kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import type { Prepared } from '../launch/prepared.js';
import { EXIT, type Failure, success } from '../outcome.js';
import { emulatorsOf, powerCutTools } from '../power-cut/tools.js';
import { planReplay, type ReplayFlags, type ReplayPlan } from '../replay/plan.js';
import { asSide, exitCodeOfReplay, type ReplayResult, replayOf } from '../replay/result.js';
import { openRunOrBundle, type Target } from '../replay/target.js';
import { formatReplay } from '../report/replay-text.js';
import { namesNoRun } from '../results/read.js';
import { defaultRunsDirectory, makeRunDirectory } from '../results/run-directory.js';
import type { RunResult, UnitResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import { describeHost } from '../run/host.js';
import { packSuite, withVersion } from '../run/suite.js';
import { defaultStore } from '../store/store.js';
import { ensureSystem } from '../system/install.js';
import {
  ensureSystemFor,
  explain,
  inSession,
  keepResult,
  type Session,
  sayNewest,
  terminalWidth,
} from './session.js';

/** The options of `replay` as the command line gives them. */
export interface ReplayCommandOptions extends ReplayFlags {
  /** false with --no-checkpoint. */
  checkpoint?: boolean;
  /** A bundle may run programs on this machine. */
  trust?: boolean;
  out?: string;
  json?: boolean;
}

/** `daxrepro replay RUN`: its exit code stands in its help. */
export async function replayCommand(
  name: string | undefined,
  options: ReplayCommandOptions,
  argv: string[],
): Promise<number> {
  // Ours alone: mkdtemp(3) makes it with mode 700.
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-bundle-'));
  try {
    return await inSession(async (session) => {
      const trust = options.trust === true;
      const { kernel } = options;
      const context = contextOf(session);
      const target = await openRunOrBundle(name, { trust, kernel, scratch, context });
      if (session.signal.aborted) return EXIT.interrupted;
      if (!target.ok) return explainEscaped(target.failure, session);
      if (namesNoRun(name)) sayNewest(target.value.run.directory, session);
      const { units, company, inputs, brought } = target.value;
      const plan = planReplay([...company, ...units], inputs, {
        ...options,
        brought: brought !== undefined,
      });
      if (!plan.ok) return explainEscaped(plan.failure, session);
      return replay(target.value, plan.value, options, argv, session);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is said of a stranger's files may have words of theirs in it. */
function explainEscaped(failed: Failure, { reporter }: Session): number {
  const { message, remedy } = failed;
  const escaped = { message: escapeForTerminal(message), remedy: escapeForTerminal(remedy) };
  return explain({ ...failed, ...escaped }, reporter);
}

async function replay(
  target: Target,
  plan: ReplayPlan,
  options: ReplayCommandOptions,
  argv: string[],
  session: Session,
): Promise<number> {
  const { reporter, signal } = session;
  const started = new Date();
  const [{ request }] = plan.cells as [Cell];
  const { kernel: spec, build = {} } = request;
  const changes = plan.cells.flatMap((cell) => cell.request.variant.changes);
  const { brought } = target;
  const system = brought
    ? await ensureSystem(['run'], contextOf(session))
    : await ensureSystemFor({ kernel: spec, build }, changes, session);
  if (!system.ok) return explain(system.failure, reporter);
  const context = contextOf(session);
  const cutting = await powerCutTools(
    plan.cells.map((cell) => cell.request),
    context.store,
    signal,
  );
  if (!cutting.ok) return explain(cutting.failure, reporter);
  const suite = await packSuite(request.suite, context);
  if (!suite.ok) return explain(suite.failure, reporter);
  const own = brought?.kernels[0];
  const kernel = own ? success(own) : await resolveKernel(spec, context, build);
  if (signal.aborted) return EXIT.interrupted;
  if (!kernel.ok) return explain(kernel.failure, reporter);

  // What was kept is kept again, and it is these copies that are run: the first run may go.
  const place = makeRunDirectory(
    options.out ?? defaultRunsDirectory(),
    { ...request, test: request.tests[0] ?? '' },
    started,
  );
  if (!place.ok) return explain(place.failure, reporter);
  const directory = place.value;
  const checkpoints = options.checkpoint !== false;
  const keeping = {
    directory,
    store: context.store,
    checkpoints,
    together: plan.together !== undefined,
  };
  const requests = plan.cells.map((cell) => withVersion(cell.request, suite.value));
  const kept = await keepInputs(requests, { ...keeping, kernels: [kernel.value] });
  if (!kept.ok) return explain(kept.failure, reporter);
  for (const [index, own] of kept.value.entries()) {
    const cell = plan.cells[index];
    if (cell) cell.request = own;
  }

  const compared = { kernel: kernel.value, build };
  const prepared = brought
    ? await brought.prepare(plan.accelerator, suite.value)
    : await prepareCells(plan.cells, compared, plan.accelerator, context, suite.value);
  if (signal.aborted) return EXIT.interrupted;
  if (!prepared.ok) return explain(prepared.failure, reporter);
  const { machine } = prepared.value;
  const [host, tools] = await Promise.all([
    describeHost(...emulatorsOf(requests, machine.qemu, cutting.value)),
    describeTools(plan.cells.map(({ name }) => name.fs as FileSystem)),
  ]);
  const units = plan.units(kernel.value.release, suite.value?.version ?? '');
  const known = {
    host,
    tools,
    kernel: kernel.value,
    machine,
    suiteVersion: units[0]?.suite.version,
  };
  announce(target, known, session);
  reporter.expect(units.length);
  const results: UnitResult[] = await runComparison(units, plan, {
    ...context,
    kernel: kernel.value,
    prepared: prepared.value,
    powerCut: cutting.value,
    directory,
    checkpoints,
    together: plan.together,
    observer: reporter,
  });
  const kernels = kernelsOf(plan.cells, kernel.value, prepared.value);
  if (kernels.length > 1) await keepInputs(requests, { ...keeping, kernels });
  const run = { ...runResult(argv, started, results, host, directory), tools };
  const result: ReplayResult = {
    ...run,
    replay: replayOf(target.run, target.units, run, {
      ...{ of: target.name, notes: target.notes },
      sameKernels: brought !== undefined,
    }),
  };
  reporter.end();
  return conclude(result, options, signal);
}

function contextOf({ reporter, signal }: Session) {
  return { store: defaultStore(), progress: reporter.progress.bind(reporter), signal };
}

interface Known {
  host: RunResult['host'];
  tools: NonNullable<RunResult['tools']>;
  kernel: Kernel;
  machine: Omit<Prepared, 'module'>;
  suiteVersion: string | undefined;
}

/** What is not as it was then, before anything is run: it may be reason enough not to. */
function announce(
  { run, units, notes, brought }: Target,
  { host, tools, kernel, machine, suiteVersion }: Known,
  { reporter }: Session,
): void {
  const { spec, release, id } = kernel;
  // A variant may have had a kernel of its own: what is known now is the one without changes.
  const base = run.result.units[0]?.kernel.id;
  const now = units.map((unit) => ({
    ...unit,
    accel: machine.accelerator,
    suite: { ...unit.suite, version: suiteVersion ?? unit.suite.version },
    ...(unit.kernel.id === base && !brought ? { kernel: { spec, release, id } } : {}),
  }));
  const predicted = { ...run.result, host, tools: { ...run.result.tools, ...tools }, units: [] };
  const differences = contextDifferences(asSide(run.result, units), asSide(predicted, now));
  const texts = differences.map(
    ({ what, before, after }) => `${what} was ${before.join(', ')}, and is ${after.join(', ')}`,
  );
  for (const text of [...notes, ...texts]) {
    reporter.progress({ type: 'note', text: escapeForTerminal(text) });
  }
}

function conclude(
  result: ReplayResult,
  { json }: ReplayCommandOptions,
  signal: AbortSignal,
): number {
  const own = exitCodeOfReplay(result.replay);
  const code = keepResult(result, signal.aborted ? EXIT.interrupted : own);
  const text = json
    ? JSON.stringify(result, null, 2)
    : formatReplay(result, { width: terminalWidth() });
  process.stdout.write(`${text}\n`);
  return code;
}
