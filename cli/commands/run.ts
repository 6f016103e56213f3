import { describeTools } from '../compare/tools.js';
import { choiceWithoutTrial } from '../guest/accelerator.js';
import { keepInputs } from '../inputs/keep.js';
import { ImageBudget } from '../launch/images.js';
import { unitArgv } from '../launch/launch.js';
import type { Prepared } from '../launch/prepared.js';
import { EXIT } from '../outcome.js';
import { planUnits } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import { powerCutTools } from '../power-cut/tools.js';
import { formatSummary } from '../report/summary.js';
import { defaultRunsDirectory, makeRunDirectory } from '../results/run-directory.js';
import { exitCodeOfUnits, type RunResult } from '../results/run-result.js';
import { runResult } from '../run/conclude.js';
import { knownDurations, learnDurations } from '../run/durations.js';
import { runUnits } from '../run/engine.js';
import { Explainer } from '../run/explain.js';
import { describeHost, guestsAtATime } from '../run/host.js';
import { prepare } from '../run/prepare.js';
import {
  type CheckedRequest,
  checkRequest,
  type RunOptions,
  replayCommand,
  shellQuote,
} from '../run/request.js';
import { packSuite, withVersion } from '../run/suite.js';
import { defaultStore } from '../store/store.js';
import { expectationFor } from '../suite/expected.js';
import {
  ensureSystemFor,
  explain,
  inSession,
  keepResult,
  type Session,
  suggestControl,
  wantsColour,
} from './session.js';

/** `daxrepro run <fs> <test...>`: its exit code is the contract's. */
export async function runCommand(
  fs: string,
  tests: string[],
  options: RunOptions,
  argv: string[],
): Promise<number> {
  const checked = checkRequest(fs, tests, options);
  if (!checked.ok) return explain(checked.failure);
  return inSession((session) => run(checked.value, options, argv, session));
}

async function run(
  checked: CheckedRequest,
  options: RunOptions,
  argv: string[],
  session: Session,
): Promise<number> {
  const { request } = checked;
  const { reporter, signal } = session;
  const started = new Date();
  const system = await ensureSystemFor(request, request.variant.changes, session);
  if (!system.ok) return explain(system.failure, reporter);

  const progress = reporter.progress.bind(reporter);
  const context = { store: defaultStore(), progress, signal };
  const cutting = await powerCutTools([request], context.store, signal);
  if (!cutting.ok) return explain(cutting.failure, reporter);
  const suite = await packSuite(request.suite, context);
  if (!suite.ok) return explain(suite.failure, reporter);
  const prepared = await prepare(
    {
      kernel: request.kernel,
      fs: request.fs,
      variant: request.variant,
      build: request.build,
      accelerator: options.dryRun
        ? await choiceWithoutTrial(checked.accelerator, context.store)
        : checked.accelerator,
      suite: suite.value,
    },
    context,
  );
  if (signal.aborted) return EXIT.interrupted;
  if (!prepared.ok) return explain(prepared.failure, reporter);

  const ready = { ...prepared.value, powerCut: cutting.value };
  // Changes can turn a packaged kernel into one that is built from the same source.
  const { spec, release } = prepared.value.kernel;
  const units = planUnits({ ...withVersion(request, suite.value), kernel: spec }, release);
  if (options.dryRun) return printDryRun(units, ready, options);

  const directory = makeRunDirectory(
    options.out ?? defaultRunsDirectory(),
    units[0] as Unit,
    started,
  );
  if (!directory.ok) return explain(directory.failure, reporter);
  const kept = await keepInputs([withVersion(request, suite.value)], {
    directory: directory.value,
    store: context.store,
    kernels: [prepared.value.kernel],
    checkpoints: options.checkpoint !== false,
    together: options.together === true,
  });
  if (!kept.ok) return explain(kept.failure, reporter);
  const jobs = checked.jobs ?? guestsAtATime(units, options.checkpoint !== false);
  const known = await knownDurations(context.store, {
    suite: request.suite.name,
    fs: request.fs,
    accel: prepared.value.accelerator,
    together: options.together === true,
  });
  const took = (unit: Unit) => known.get(unit.test);
  reporter.expect(units.length, { seconds: units.map(took), jobs: Math.min(jobs, units.length) });
  const [results, host, tools] = await Promise.all([
    runUnits(units, {
      prepared: () => ready,
      directory: directory.value,
      jobs,
      // The longest last would leave the other guests with nothing to do.
      ...(jobs > 1 && !request.untilFail ? { estimate: took } : {}),
      store: context.store,
      checkpoints: options.checkpoint !== false,
      images: new ImageBudget(checked.imageBytes),
      explainer: options.explain ? new Explainer() : undefined,
      progress,
      expected: (unit) => expectationFor(unit, checked.expected),
      together: options.together === true,
      replay: (unit, after) => replayCommand(unit, request, after),
      observer: reporter,
      ...(request.untilFail ? { isLast: ({ verdict }) => verdict === 'fail' } : {}),
      signal,
    }),
    describeHost(ready.powerCut?.qemu ?? ready.qemu),
    describeTools([request.fs]),
  ]);
  await learnDurations(context.store, results);
  const result = { ...runResult(argv, started, results, host, directory.value), tools };
  reporter.end();
  return conclude(result, options, signal);
}

function conclude(result: RunResult, options: RunOptions, signal: AbortSignal): number {
  const code = keepResult(
    result,
    signal.aborted ? EXIT.interrupted : exitCodeOfUnits(result.units),
  );
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${formatSummary(result, { colour: wantsColour() })}\n`);
  suggestControl(result);
  return code;
}

/** The command lines of a run, one a line, as a shell would take them; descriptors 3 to 7 are ours. */
function printDryRun(units: readonly Unit[], prepared: Prepared, { json }: RunOptions): number {
  const lines = new Set(
    units.map((unit) => {
      const argv = unitArgv(unit, prepared);
      return json ? JSON.stringify(argv) : argv.map(shellQuote).join(' ');
    }),
  );
  process.stdout.write(json ? `[${[...lines].join(',')}]\n` : `${[...lines].join('\n')}\n`);
  return EXIT.ok;
}
