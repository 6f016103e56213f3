import { readdirSync } from 'node:fs';
import { signaturesOfUnit } from '../compare/differences.js';
import type { AcceleratorChoice } from '../guest/accelerator.js';
import type { TreeArchive } from '../guest/xfstests-archive.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Prepared } from '../launch/prepared.js';
import { failure, type Outcome, success } from '../outcome.js';
import { planUnits, SEEDS } from '../plan/plan.js';
import type { Unit } from '../plan/unit.js';
import type { PowerCutTools } from '../power-cut/tools.js';
import type { RunEntry } from '../results/bisect-result.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { type EngineObserver, runAndJudge } from '../run/engine.js';
import type { MachineContext } from '../run/prepare.js';
import { replayCommand } from '../run/replay-command.js';
import { withVersions } from '../run/suite.js';
import type { PackedUserTest } from '../user-test/user-test.js';
import { type BisectionWork, mean } from './engine.js';
import { outcomeOf, outcomeOfAll, type RunOutcome } from './outcome.js';
import { type Build, GOOD } from './plan.js';
import { replayOf } from './replay.js';
import type { BisectionState } from './state.js';
import type { Subject } from './subject.js';

/** Builds real kernels and runs real guests for the engine. */

export interface WorkOptions {
  subject: Subject;
  state: BisectionState;
  directory: string;
  accelerator: AcceleratorChoice;
  suite: TreeArchive | undefined;
  powerCut: PowerCutTools | undefined;
  userTests: ReadonlyMap<string, PackedUserTest>;
  signature: string | undefined;
  checkpoints: boolean;
  observer: EngineObserver;
  context: MachineContext;
}

/** The assumed build times of a whole kernel and a module, in seconds, until one was measured. */
const SECONDS = { kernel: 300, module: 6 };

export class KernelWork implements Pick<BisectionWork, 'prepare' | 'run' | 'buildSeconds'> {
  #accelerator: AcceleratorChoice;
  #next: number;
  qemu: string | undefined;
  /** By their ids. */
  readonly kernels = new Map<string, Kernel>();

  constructor(readonly options: WorkOptions) {
    this.#accelerator = options.accelerator;
    // Keep the files of runs that were cut off: they may show why.
    this.#next = readdirSync(options.directory).filter((name) => /^\d{3,}-/.test(name)).length;
  }

  prepare = async (build: number, signal: AbortSignal): Promise<Outcome<Prepared>> => {
    const { subject, suite, powerCut, userTests, context } = this.options;
    const prepared = await subject.prepare(this.#build(build), {
      accelerator: this.#accelerator,
      suite,
      context: { ...context, signal },
    });
    if (!prepared.ok) return prepared;
    const { accelerator, qemu, kernel } = prepared.value;
    // Reuse the decision: probing KVM once is enough.
    this.#accelerator = accelerator;
    this.qemu = powerCut?.qemu ?? qemu;
    this.kernels.set(kernel.id, kernel);
    return success({ ...prepared.value, powerCut, userTests });
  };

  /** Runs all tests once; the first bad one decides. */
  run = async (
    build: number,
    prepared: Prepared,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Outcome<Omit<RunEntry, 'content' | 'change' | 'attempt'>>> => {
    const started = performance.now();
    const results: UnitResult[] = [];
    const folders: string[] = [];
    const outcomes: RunOutcome[] = [];
    for (const unit of this.#units(build, prepared, attempt)) {
      const index = this.#next++;
      folders.push(unitFolder(unit, index));
      const result = await this.#one(build, unit, index, prepared, signal);
      if (signal.aborted) break;
      results.push(result);
      outcomes.push(outcomeOf(result, this.options.signature));
      if (['bad', 'broken'].includes(outcomes.at(-1) ?? '')) break;
    }
    const outcome = outcomeOfAll(outcomes);
    const telling = results[outcomes.indexOf(outcome)];
    if (signal.aborted || !telling)
      return failure('interrupted', 'Interrupted', 'Repeat the command with --resume to continue');
    if (outcome === 'broken') {
      return failure(
        'tool-failed',
        `A run failed for a reason outside of the kernel: ${telling.reason}`,
        'Fix the cause, and repeat the command with --resume to continue',
      );
    }
    return success({
      seed: telling.seed,
      outcome,
      verdict: telling.verdict,
      reason: telling.reason,
      signatures: [...new Set(results.flatMap((one) => signaturesOfUnit(one)).map(nameOf))],
      seconds: Math.round((performance.now() - started) / 10) / 100,
      folders,
    });
  };

  buildSeconds = (build: number): number => {
    const { subject, state } = this.options;
    const kernel = subject.kernelOf(this.#build(build));
    const known = new Map(subject.plan.builds.map((one) => [one.content, subject.kernelOf(one)]));
    const seen = new Set<string>();
    const seconds = { kernel: [] as number[], module: [] as number[] };
    for (const one of state.builds.filter(({ ok }) => ok)) {
      const own = known.get(one.content) ?? '';
      seconds[seen.has(own) ? 'module' : 'kernel'].push(one.seconds);
      seen.add(own);
    }
    const kind = seen.has(kernel) ? 'module' : 'kernel';
    return mean(seconds[kind]) ?? SECONDS[kind];
  };

  #build(build: number): Build {
    return this.options.subject.plan.builds[build] as Build;
  }

  #units(build: number, { kernel }: Prepared, attempt: number): Unit[] {
    const { subject, state, suite, context } = this.options;
    const { change } = this.#build(build);
    const request = {
      ...withVersions(subject.request, { suite, xfsprogs: context.xfsprogs }),
      seed: (state.seed + attempt - 1) % SEEDS,
      variant: { name: variantNameOf(subject, change), changes: [] },
    };
    return planUnits(request, kernel.release).map((unit) => ({ ...unit, attempt }));
  }

  #one(
    build: number,
    unit: Unit,
    index: number,
    prepared: Prepared,
    signal: AbortSignal,
  ): Promise<UnitResult> {
    const { subject, directory, checkpoints, observer, context } = this.options;
    const { change } = this.#build(build);
    observer.unitStarted(unit, index);
    return runAndJudge(unit, index, {
      prepared: () => prepared,
      directory,
      jobs: 1,
      store: context.store,
      checkpoints,
      progress: context.progress,
      replay: (one) => replayOf(replayCommand(one, subject.request), subject.replay(change)),
      observer,
      signal,
    }).then((result) => {
      observer.unitFinished(result, index);
      return result;
    });
  }
}

/** The variant name in the units of a build. */
export function variantNameOf({ plan }: Pick<Subject, 'plan'>, change: number): string {
  return change === GOOD ? 'good' : (plan.changes[change]?.id ?? '').slice(0, 12);
}

function nameOf({ signature }: { signature: string }): string {
  return signature;
}
