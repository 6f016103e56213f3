import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageBudget } from '../launch/images.js';
import { MountedGuests } from '../launch/mounted-guests.js';
import type { Prepared } from '../launch/prepared.js';
import type { Unit } from '../plan/unit.js';
import type { Progress } from '../progress.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import type { Store } from '../store/store.js';
import { attempt } from './attempt.js';
import { type GuestOf, inBatches, longestFirst, type Numbered } from './batches.js';
import type { Explainer } from './explain.js';
import { keepRecord } from './keep-record.js';
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
  /** Kernel and module of a unit: the units of one comparison have different ones. */
  prepared: (unit: Unit) => Prepared;
  /** The run's directory. */
  directory: string;
  /** Number of guests at a time. */
  jobs: number;
  /** The units' numbers in the run's directory, from 0. Absent: their positions. */
  numbers?: readonly number[] | undefined;
  store: Store;
  /** Clone guests from checkpoints, or boot each. */
  checkpoints: boolean;
  /** Guests with mounted file systems; undefined: `runUnits` decides. */
  mounted?: MountedGuests | undefined;
  /** How much space images of damaged devices may take; undefined: keep none. */
  images?: ImageBudget | undefined;
  /** Runs failing units again; undefined: not requested. */
  explainer?: Explainer | undefined;
  progress: Progress;
  /** The expected failure that a result matches. */
  expected?: (result: UnitResult) => UnitResult['expectedFailure'];
  /** Whether xfstests tests share guests, or which do. */
  together?: boolean | GuestOf | undefined;
  /** The command that runs this unit again, after the tests that its guest ran before it. */
  replay: (unit: Unit, after: readonly string[]) => string;
  observer: EngineObserver;
  /** Expected seconds of a unit, to start the longest first. Absent: keep their order. */
  estimate?: (unit: Unit) => number | undefined;
  /** Whether to start no more units after this result. Running units finish. */
  isLast?: (result: UnitResult) => boolean;
  signal?: AbortSignal;
}

/**
 * @returns the results in the units' order, without units that an interruption or `isLast` kept
 * from running
 */
export async function runUnits(
  units: readonly Unit[],
  given: EngineContext,
): Promise<UnitResult[]> {
  const context = { ...given, mounted: given.mounted ?? new MountedGuests(units) };
  const results: UnitResult[] = [];
  const batches = longestFirst(
    numbered(inBatches(units, context.jobs, context.together ?? false), context.numbers),
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
    // The next units do not wait for it.
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

/** The units of one chunk keep the numbers that they have in the whole run. */
function numbered(batches: Numbered[][], numbers: readonly number[] | undefined): Numbered[][] {
  if (!numbers) return batches;
  return batches.map((batch) =>
    batch.map(({ unit, index }) => ({ unit, index: numbers[index] ?? index })),
  );
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
        mounted: context.mounted,
        images: context.images ?? new ImageBudget(0),
        progress: context.progress,
        onStep: (step) => context.observer.unitStep(unit, index, step),
        signal: context.signal,
      }),
    ),
  );
  const result = concludeUnit(unit, index, ran, context, { started });
  const execution = ran.ok ? ran.value.execution : undefined;
  if (!unit.shape.recorded) return result;
  return keepRecord(result, execution, { folder: unitFolder(unit, index), ...context });
}
