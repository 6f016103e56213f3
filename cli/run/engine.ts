import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { explainUnit } from '../evidence/unit.js';
import type { Failure, Outcome } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Progress } from '../report/progress.js';
import { type Store, storageFailure } from '../store/store.js';
import { type Judgement, judge } from '../verdict/judge.js';
import type { Expectation } from '../verdict/record.js';
import { canBeSaved } from './launch.js';
import type { Prepared } from './prepare.js';
import type { UnitResult } from './result.js';
import { unitFolder, writeJson } from './run-directory.js';
import { runUnit, type UnitRun } from './run-unit.js';

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
  progress: Progress;
  /** What was expected of a unit that came out so. */
  expected?: (result: UnitResult) => UnitResult['expectedFailure'];
  /** How to run this unit alone again. */
  replay: (unit: Unit) => string;
  observer: EngineObserver;
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
  if (context.checkpoints && units.some(({ shape }) => !canBeSaved(shape.pmem))) {
    const text = 'guests with virtio-pmem are booted, since QEMU cannot save that device';
    context.progress({ type: 'note', text });
  }
  let next = 0;
  let over = false;
  const worker = async () => {
    while (next < units.length && !over && !context.signal?.aborted) {
      const index = next++;
      const unit = units[index] as Unit;
      context.observer.unitStarted(unit, index);
      const result = await runAndJudge(unit, index, context);
      results[index] = result;
      context.observer.unitFinished(result, index);
      over ||= context.isLast?.(result) ?? false;
    }
  };
  await Promise.all(Array.from({ length: Math.min(context.jobs, units.length) }, worker));
  return results.filter((result) => result !== undefined);
}

/** @param index the unit's number in the run's directory, from 0 */
export async function runAndJudge(
  unit: Unit,
  index: number,
  context: EngineContext,
): Promise<UnitResult> {
  const { signal } = context;
  const prepared = context.prepared(unit);
  const started = performance.now();
  const folder = unitFolder(unit, index);
  const directory = join(context.directory, folder);
  const ran = await attempt(() =>
    mkdir(directory, { recursive: true }).then(() =>
      runUnit(unit, {
        prepared,
        directory,
        store: context.store,
        checkpoints: context.checkpoints,
        progress: context.progress,
        onStep: (step) => context.observer.unitStep(unit, index, step),
        signal,
      }),
    ),
  );
  const judgement = ran.ok
    ? judge(ran.value.record, expectation(unit, prepared))
    : notRun(ran.failure);
  const unwritten = ran.ok ? explainUnit(ran.value.record, judgement, prepared.witness) : undefined;
  const result: UnitResult = {
    fs: unit.fs,
    test: unit.test,
    suite: unit.suite,
    kernel: { spec: unit.kernelSpec, release: prepared.kernel.release, id: prepared.kernel.id },
    variant: unit.variant,
    pmem: unit.shape.pmem,
    accel: prepared.accelerator,
    attempt: unit.attempt,
    seed: unit.seed,
    verdict: judgement.verdict,
    reason: judgement.reason,
    ...(judgement.outcome ? { outcome: judgement.outcome } : {}),
    control: unit.control,
    dax: describeDax(judgement, prepared),
    findings: judgement.findings,
    ...(unwritten ? { unwritten } : {}),
    bootFindings: ran.ok ? ran.value.record.bootFindings : [],
    ending: ran.ok ? ran.value.record.ending.kind : 'storage',
    durationSeconds: seconds((performance.now() - started) / 1000),
    bootSeconds:
      ran.ok && ran.value.bootSeconds !== undefined ? seconds(ran.value.bootSeconds) : null,
    cloned: ran.ok && ran.value.cloned,
    artifacts: ran.ok ? artifactPaths(folder, ran.value) : {},
    replay: context.replay(unit),
  };
  const expected = context.expected?.(result);
  if (expected) result.expectedFailure = expected;
  try {
    if (existsSync(directory)) writeJson(join(directory, 'unit.json'), result);
  } catch (error) {
    // The result still goes into result.json and onto the screen; a bug is thrown.
    const failed = storageFailure(directory, error);
    if (result.verdict === 'pass') return { ...result, ...notRun(failed.failure), dax: result.dax };
  }
  return result;
}

/** Our own writing can fail at any point of a unit; what it says then is the unit's `error`. */
async function attempt(run: () => Promise<Outcome<UnitRun>>): Promise<Outcome<UnitRun>> {
  try {
    return await run();
  } catch (error) {
    return storageFailure("the run's directory", error);
  }
}

function notRun(reason: Failure): Judgement {
  return {
    verdict: 'error',
    reason: reason.message,
    dax: {
      proven: false,
      driver: 'none',
      mountOptions: '',
      statxBefore: undefined,
      statxAfter: undefined,
      states: [],
    },
    findings: [],
  };
}

function expectation(unit: Unit, { kernel, module }: Prepared): Expectation {
  return {
    fs: unit.fs,
    release: kernel.release,
    control: unit.control,
    xfstests: unit.suite.name === 'xfstests' ? { test: unit.test, ...unit.facts } : undefined,
    module: module && {
      sha256: module.sha256,
      buildId: module.buildId,
      sent: module.bytes !== undefined,
    },
  };
}

function describeDax({ dax }: Judgement, { module }: Prepared): UnitResult['dax'] {
  return {
    proven: dax.proven,
    driver: dax.driver,
    mountOptions: dax.mountOptions,
    statxBefore: dax.statxBefore ?? null,
    statxAfter: dax.statxAfter ?? null,
    module: module
      ? { origin: module.origin, sha256: module.sha256, buildId: module.buildId }
      : null,
    looks: dax.states.map(
      ({ when, device, driver, mountOptions, statxDax, problems, messages }) => ({
        when,
        device,
        driver,
        mountOptions,
        statxDax: statxDax ?? null,
        problems,
        messages,
      }),
    ),
  };
}

function artifactPaths(folder: string, { artifacts }: UnitRun): Record<string, string> {
  const paths = Object.entries(artifacts).map(([name, file]) => [
    // The contract's name for the check of the device under test.
    name === 'fsck-test' ? 'fsck' : name,
    `${folder}/${file}`,
  ]);
  return { ...Object.fromEntries(paths), argv: `${folder}/qemu-argv.json` };
}

function seconds(value: number): number {
  return Math.round(value * 100) / 100;
}
