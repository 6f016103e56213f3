import type { KernelContext } from '../kernel/kernel.js';
import { ImageBudget } from '../launch/images.js';
import type { Outcome } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { PowerCutTools } from '../power-cut/tools.js';
import { type CellName, cellKey } from '../results/case.js';
import { type CompareUnit, cellOf } from '../results/compare-result.js';
import type { UnitResult } from '../results/run-result.js';
import type { GuestOf } from '../run/batches.js';
import { type EngineObserver, runUnits } from '../run/engine.js';
import type { Explainer } from '../run/explain.js';
import { guestsAtATime } from '../run/host.js';
import { replayCommand } from '../run/replay-command.js';
import { unpreparedResult } from '../run/unprepared.js';
import type { PackedUserTest } from '../user-test/user-test.js';
import { holds } from './expectations.js';
import { type ComparisonPlan, cellFinder, cellNameOf } from './plan.js';
import type { PreparedCells } from './prepare.js';

export interface ComparisonContext extends KernelContext {
  prepared: PreparedCells;
  /** For cells with power cuts. */
  powerCut?: PowerCutTools | undefined;
  /** The user's test files as they are sent, by their words. */
  userTests?: ReadonlyMap<string, PackedUserTest> | undefined;
  /** The run's directory. */
  directory: string;
  checkpoints: boolean;
  observer: EngineObserver;
  explainer?: Explainer | undefined;
  /** Whether tests of xfstests share guests if they differ in nothing else, or which of them do. */
  together?: boolean | GuestOf | undefined;
  signal: AbortSignal;
}

/** Runs all units whose variant could be prepared in one engine, and checks the expectations. */
export async function runComparison(
  units: readonly Unit[],
  plan: ComparisonPlan,
  context: ComparisonContext,
): Promise<CompareUnit[]> {
  const { directory, observer } = context;
  const find = cellFinder(plan.cells);
  const planned = (unit: Unit) => find(cellNameOf(unit));
  const replay = (unit: Unit, after: readonly string[] = []) =>
    replayCommand(unit, planned(unit).request, after);
  const preparedFor = (unit: Unit) => context.prepared.of(planned(unit));

  const ready = units.filter((unit) => preparedFor(unit).ok);
  const accel = context.prepared.machine.accelerator;
  const results = new Map<string, CompareUnit>();
  const keep = (result: UnitResult, more: Pick<CompareUnit, 'failure'> = {}) => {
    const { expected } = find(cellOf(result));
    const unit = { ...result, expected, held: holds(result, expected), ...more };
    results.set(orderKey(result.attempt, cellOf(result)), unit);
  };
  // Units that cannot run are numbered after those that can.
  let index = ready.length;
  for (const unit of units) {
    const outcome = preparedFor(unit);
    if (outcome.ok) continue;
    const kernel = context.prepared.kernelFor(planned(unit).request);
    const more = { kernel, accel, directory, replay: replay(unit) };
    const result = unpreparedResult(unit, index, outcome.failure, more);
    keep(result, { failure: outcome.failure });
    observer.unitFinished(result, index);
    index += 1;
  }
  const ran = await runUnits(ready, {
    prepared: (unit) => ({
      ...mustHave(preparedFor(unit)),
      powerCut: context.powerCut,
      userTests: context.userTests,
    }),
    directory,
    jobs: plan.jobs ?? guestsAtATime(units, context.checkpoints),
    store: context.store,
    checkpoints: context.checkpoints,
    images: new ImageBudget(plan.imageBytes),
    explainer: context.explainer,
    together: context.together,
    progress: context.progress,
    replay,
    observer,
    signal: context.signal,
  });
  for (const result of ran) keep(result);
  return units.flatMap((unit) => results.get(orderKey(unit.attempt, cellNameOf(unit))) ?? []);
}

function orderKey(attempt: number, name: CellName) {
  return `${attempt} ${cellKey(name)}`;
}

function mustHave<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value;
}
