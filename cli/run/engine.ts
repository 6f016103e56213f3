import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageBudget } from '../launch/images.js';
import type { Prepared } from '../launch/prepared.js';
import type { Unit } from '../plan/unit.js';
import type { Progress } from '../progress.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import type { Store } from '../store/store.js';
import { attempt } from './attempt.js';
import { type GuestOf, inBatches, longestFirst, type Numbered } from './batches.js';
import type { Explainer } from './explain.js';
import { runUnit } from './run-unit.js';
import { runTogether } from './together.js';
import { concludeUnit } from './unit-result.js';

/** Runs units, several at a time, and judges them. */

export interface EngineObserver {
  unitStarted(unit: Unit, index: number): void;
  unitStep(unit: Unit, index: number, step: string): void;
  unitFinished(result: UnitResult, index: number): void;
}

export interface EngineContext {
  /** What a unit is run with: units of one comparison have different kernels and modules. */
  prepared: (unit: Unit) => Prepared;
  /** The run's directory. */
  directory: string;
  /** Guests at a time. */
  jobs: number;
  store: Store;
  /** Whether guests are cloned from checkpoints, or each is booted. */
  checkpoints: boolean;
  /** What images of damaged devices may take; undefined: none is kept. */
  images?: ImageBudget | undefined;
  /** Runs units that fail once more; undefined: that is not asked for. */
  explainer?: Explainer | undefined;
  progress: Progress;
  /** What was expected of a unit that came out so. */
  expected?: (result: UnitResult) => UnitResult['expectedFailure'];
  /** Whether tests of xfstests share guests; or which do. */
  together?: boolean | GuestOf | undefined;
  /** How to run this unit again, after those that its guest ran before it. */
  replay: (unit: Unit, after: readonly string[]) => string;
  observer: EngineObserver;
  /** Seconds that a unit may take: what takes longest is begun first. Absent: in their order. */
  estimate?: (unit: Unit) => number | undefined;
  /** Whether to start no more after this result; what runs runs to its end. */
  isLast?: (result: UnitResult) => boolean;
  signal?: AbortSignal;
}

/**
 * @returns a result for each unit, in the units' order; those that an interruption or `isLast` kept
 *   from running are not there
 */
export async function runUnits(
  units: readonly Unit[],
  context: EngineContext,
): Promise<UnitResult[]> {
  const results: UnitResult[] = [];
  const batches = longestFirst(
    inBatches(units, context.jobs, context.together ?? false),
    context.estimate,
  );
  const guests = { number: 0 };
  let next = 0;
  let over = false;
  const mayGoOn = () => !over && !context.signal?.aborted;
  const keep = (result: UnitResult, index: number) => {
    results[index] = result;
    over ||= context.isLast?.(result) ?? false;
  };
  const finish = (result: UnitResult, index: number) => {
    keep(result, index);
    context.observer.unitFinished(result, index);
  };
  const { explainer } = context;
  const explainAndFinish = async ({ unit, index }: Numbered, result: UnitResult) => {
    // Whether others may begin does not wait for it.
    keep(result, index);
    finish((await explainer?.explain(unit, index, result, context)) ?? result, index);
  };
  const runAlone = async (one: Numbered) => {
    const { unit, index } = one;
    context.observer.unitStarted(unit, index);
    const result = await runAndJudge(unit, index, context);
    if (explainer?.claims(result)) await explainAndFinish(one, result);
    else finish(result, index);
  };
  const runShared = async (batch: Numbered[]) => {
    const failed: [Numbered, UnitResult][] = [];
    await runTogether(batch, {
      ...{ ...context, guests, mayGoOn, runAlone },
      finish: (result, index) => {
        const one = batch.find((each) => each.index === index);
        if (!one || !explainer?.claims(result)) return finish(result, index);
        keep(result, index);
        failed.push([one, result]);
      },
    });
    for (const [one, result] of failed) await explainAndFinish(one, result);
  };
  const worker = async () => {
    while (next < batches.length && mayGoOn()) {
      const batch = batches[next++] ?? [];
      const [only, ...others] = batch;
      await (only && others.length === 0 ? runAlone(only) : runShared(batch));
    }
  };
  await Promise.all(Array.from({ length: Math.min(context.jobs, batches.length) }, worker));
  return results.filter((result) => result !== undefined);
}

/** @param index the unit's number in the run's directory, from 0 */
export async function runAndJudge(
  unit: Unit,
  index: number,
  context: EngineContext,
): Promise<UnitResult> {
  const started = performance.now();
  const directory = join(context.directory, unitFolder(unit, index));
  const ran = await attempt(() =>
    mkdir(directory, { recursive: true }).then(() =>
      runUnit(unit, {
        prepared: context.prepared(unit),
        directory,
        store: context.store,
        checkpoints: context.checkpoints,
        images: context.images ?? new ImageBudget(0),
        progress: context.progress,
        onStep: (step) => context.observer.unitStep(unit, index, step),
        signal: context.signal,
      }),
    ),
  );
  return concludeUnit(unit, index, ran, context, { started });
}
