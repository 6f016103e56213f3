import { type CompareOptions, requestedCase } from '../compare/case-flags.js';
import { differencesOf } from '../compare/differences.js';
import { exitCodeOfComparison } from '../compare/expectations.js';
import { type Cell, type ComparisonPlan, planComparison, unitsOf } from '../compare/plan.js';
import { comparedSpec, kernelsOf, prepareCells } from '../compare/prepare.js';
import { compareRates, levelAt } from '../compare/rates.js';
import { runComparison } from '../compare/run.js';
import { describeTools } from '../compare/tools.js';
import { runUntilKnown } from '../compare/until-known.js';
import { keepInputs } from '../inputs/keep.js';
import { resolveKernel } from '../kernel/resolve.js';
import { EXIT, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { emulatorsOf, powerCutTools } from '../power-cut/tools.js';
import { formatMail } from '../report/compare-mail.js';
import { formatComparison } from '../report/compare-text.js';
import { formatCells } from '../report/compare-words.js';
import type { Case } from '../results/case.js';
import { type CompareResult, cellResults } from '../results/compare-result.js';
import { defaultRunsDirectory, makeRunDirectory } from '../results/run-directory.js';
import { runResult } from '../run/conclude.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { Explainer } from '../run/explain.js';
import { describeHost } from '../run/host.js';
import { buildOptionsOf } from '../run/request.js';
import { packSuite, withVersion } from '../run/suite.js';
import { defaultStore } from '../store/store.js';
import {
  ensureSystemFor,
  explain,
  inSession,
  keepResult,
  type Session,
  suggestControl,
  terminalWidth,
  wantsColour,
} from './session.js';

/** `daxrepro compare [case.yaml]`: its exit code is the contract's. */
export async function compareCommand(
  file: string | undefined,
  given: CompareOptions,
  argv: string[],
): Promise<number> {
  const options = { ...given, repeat: attempts(given) };
  const requested = await requestedCase(file, options);
  if (!requested.ok) return explain(requested.failure);
  const plan = planComparison(requested.value, options);
  if (!plan.ok) return explain(plan.failure);
  if (options.dryRun) {
    process.stdout.write(
      options.json
        ? `${JSON.stringify(plan.value.cells.map(({ name, expected }) => ({ ...name, expected })))}\n`
        : `${formatCells(plan.value.cells).join('\n')}\n`,
    );
    return EXIT.ok;
  }
  return inSession((session) => compare(requested.value, plan.value, options, argv, session));
}

/** Going on until it is known has to end somewhere. */
function attempts({ repeat, untilKnown }: CompareOptions): string {
  return untilKnown && repeat === RUN_DEFAULTS.repeat ? '320' : repeat;
}

async function compare(
  asked: Case,
  planned: ComparisonPlan,
  options: CompareOptions,
  argv: string[],
  session: Session,
): Promise<number> {
  const { reporter, signal } = session;
  const started = new Date();
  const changes = asked.variants.flatMap((variant) => variant.changes);
  const build = buildOptionsOf(options) ?? {};
  const system = await ensureSystemFor({ kernel: asked.kernel, build }, changes, session);
  if (!system.ok) return explain(system.failure, reporter);
  const progress = reporter.progress.bind(reporter);
  const context = { store: defaultStore(), progress, signal };
  const spec = await comparedSpec(asked.kernel, asked.variants, context);
  const of = { ...asked, kernel: spec };
  const replanned = spec === asked.kernel ? success(planned) : planComparison(of, options);
  if (!replanned.ok) return explain(replanned.failure, reporter);
  const { value: plan } = replanned;
  const cutting = await powerCutTools(
    plan.cells.map(({ request }) => request),
    context.store,
    signal,
  );
  if (!cutting.ok) return explain(cutting.failure, reporter);
  const suite = await packSuite((plan.cells[0] as Cell).request.suite, context);
  if (!suite.ok) return explain(suite.failure, reporter);
  const kernel = await resolveKernel(spec, context, build);
  if (signal.aborted) return EXIT.interrupted;
  if (!kernel.ok) return explain(kernel.failure, reporter);
  const prepared = await prepareCells(
    plan.cells,
    { kernel: kernel.value, build },
    plan.accelerator,
    context,
    suite.value,
  );
  if (signal.aborted) return EXIT.interrupted;
  if (!prepared.ok) return explain(prepared.failure, reporter);

  const units = unitsOf(plan.cells, kernel.value.release, suite.value);
  const parent = options.out ?? defaultRunsDirectory();
  const directory = makeRunDirectory(parent, units[0] as Unit, started);
  if (!directory.ok) return explain(directory.failure, reporter);
  const explainer = options.explain ? new Explainer() : undefined;
  const requests = plan.cells.map(({ request }) => withVersion(request, suite.value));
  const kept = await keepInputs(requests, {
    directory: directory.value,
    store: context.store,
    kernels: kernelsOf(plan.cells, kernel.value, prepared.value),
    caseFile: of.file,
    checkpoints: options.checkpoint !== false,
    together: options.together === true,
  });
  if (!kept.ok) return explain(kept.failure, reporter);
  const run = (some: readonly Unit[]) =>
    runComparison(some, plan, {
      ...context,
      kernel: kernel.value,
      prepared: prepared.value,
      powerCut: cutting.value,
      directory: directory.value,
      checkpoints: options.checkpoint !== false,
      together: options.together,
      observer: reporter,
      explainer,
    });
  reporter.expect(units.length);
  const [results, host, tools] = await Promise.all([
    options.untilKnown ? runUntilKnown(of, units, run, signal) : run(units),
    describeHost(...emulatorsOf(units, prepared.value.machine.qemu, cutting.value)),
    describeTools(of.fileSystems),
  ]);
  const { file, title, variants, fileSystems, tests, pmem, powerCut } = of;
  const ran = runResult(argv, started, results, host, directory.value);
  const { schemaVersion, tool, command, verdict } = ran;
  const result: CompareResult = {
    // Who reads the JSON finds the case before its units.
    ...{ schemaVersion, tool, command, verdict },
    case: { file, title, kernel: of.kernel, variants, fileSystems, tests, pmem, powerCut },
    ...ran,
    units: results,
    differences: [],
    rates: [],
    tools,
  };
  const cells = cellResults(result);
  result.differences = differencesOf(result.case, cells);
  result.rates = compareRates(result.case, cells, options.untilKnown ? levelAt : undefined);
  reporter.end();
  return conclude(result, options, signal);
}

function conclude(result: CompareResult, options: CompareOptions, signal: AbortSignal): number {
  const own = exitCodeOfComparison(result.units);
  const code = keepResult(result, signal.aborted ? EXIT.interrupted : own);
  process.stdout.write(`${print(result, options)}\n`);
  suggestControl(result);
  return code;
}

function print(result: CompareResult, { json, mail }: CompareOptions): string {
  if (json) return JSON.stringify(result, null, 2);
  if (mail) return formatMail(result, { from: process.cwd() });
  return formatComparison(result, { width: terminalWidth(), colour: wantsColour() });
}
