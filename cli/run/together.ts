import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestClock } from '../guest/cpu-history.js';
import type { Ending, Guest, GuestObserver } from '../guest/guest.js';
import type { FilePiece, GuestEvent, ReadyEvent } from '../guest/protocol.js';
import { ImageBudget, ImageKeeper } from '../launch/images.js';
import { launch } from '../launch/launch.js';
import { RecordKeeper } from '../launch/record-keeper.js';
import { type Failure, type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Progress } from '../progress.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { type Store, storageFailure } from '../store/store.js';
import type { Numbered } from './batches.js';
import { AROUND_THE_TEST, type UnitRun, unitRequest } from './run-unit.js';
import { type ConclusionContext, concludeUnit } from './unit-result.js';

/**
 * Runs many xfstests tests in one guest, with one call of its `check`, and makes a record and a
 * verdict for each (guest-scripts/lib/xfstests-together.sh). Between two tests the guest waits for
 * us:
 *
 *     ready ──▶ test 1 ──over──▶ judged ──go──▶ test 2 ──over──▶ … ──▶ finished
 *                  │                │
 *                  └─ the guest     └─ a problem was found:
 *                     died              the others get another guest
 *
 * So a test runs only after tests that had no problems, and if the guest dies, only the test that
 * was running is blamed.
 */

export interface TogetherContext extends ConclusionContext {
  store: Store;
  checkpoints: boolean;
  /** How much space images of damaged devices may take; undefined: keep none. */
  images?: ImageBudget | undefined;
  progress: Progress;
  observer: {
    unitStarted(unit: Unit, index: number): void;
    unitStep(unit: Unit, index: number, step: string): void;
  };
  /** Counts the guests of the run. */
  guests: { number: number };
  finish: (result: UnitResult, index: number) => void;
  /** Runs a test that xfstests' `check` skips. */
  runAlone: (one: Numbered) => Promise<void>;
  /** Whether another test may start. */
  mayGoOn: () => boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Runs all units of a batch, in as many guests as needed. `finish` gets each result as soon as it
 * is known.
 */
export async function runTogether(
  batch: readonly Numbered[],
  context: TogetherContext,
): Promise<void> {
  let left = [...batch];
  while (left.length > 0 && context.mayGoOn()) {
    context.guests.number += 1;
    const { done, passedOver } = await new SharedRun(left, context).run();
    if (passedOver) await context.runAlone(passedOver);
    left = left.filter((one) => one !== passedOver && !done.has(one.index));
  }
}

/** The running test. */
interface Running extends Numbered {
  keeper: RecordKeeper;
  images: ImageKeeper;
  started: number;
}

class SharedRun implements GuestObserver {
  readonly #done = new Map<number, string>();
  readonly #opened: number[] = [];
  readonly #number: number;
  readonly #first: Numbered;
  #running: Running | undefined;
  #guest: Guest | undefined;
  #clock: GuestClock | undefined;
  #ready: ReadyEvent | undefined;
  #cloned = false;
  #bootSeconds: number | undefined;
  /** A violation by the guest, for which we end it. */
  #violation: Ending | undefined;
  #passedOver: Numbered | undefined;
  /** The work between two tests. */
  #turning: Promise<void> = Promise.resolve();

  constructor(
    readonly left: readonly Numbered[],
    readonly context: TogetherContext,
  ) {
    this.#number = context.guests.number;
    this.#first = left[0] as Numbered;
  }

  /**
   * @returns the indexes of units with a verdict, at least one; or else the first unit, if `check`
   * started another one
   */
  async run(): Promise<{ done: ReadonlyMap<number, string>; passedOver?: Numbered | undefined }> {
    const { unit } = this.#first;
    try {
      this.#running = this.#begin(this.#first);
      const ending = await this.#launchAndRun(unit);
      await this.#turning;
      if (ending.ok) await this.#conclude(this.#violation ?? ending.value);
      else this.#fail(ending);
    } catch (error) {
      this.#fail(storageFailure("the run's directory", error));
    } finally {
      this.#running?.keeper.close();
      for (const descriptor of this.#opened) closeSync(descriptor);
    }
    return { done: this.#done, passedOver: this.#passedOver };
  }

  async #launchAndRun(unit: Unit): Promise<Outcome<Ending>> {
    const { context } = this;
    const prepared = context.prepared(unit);
    const started = performance.now();
    const directory = join(context.directory, this.#folder);
    const onStep = (step: string) => context.observer.unitStep(unit, this.#first.index, step);
    onStep('boot');
    const { store, checkpoints, progress, signal } = context;
    const { images = new ImageBudget(0) } = context;
    const launched = await launch(
      unit,
      { prepared, directory, store, checkpoints, images, progress, onStep, signal },
      this,
      this.#opened,
    );
    if (!launched.ok) return launched;
    const { guest, cloned } = launched.value;
    this.#guest = guest;
    this.#cloned = cloned;
    const booted = await guest.ready;
    if (!booted.ok) return success(booted.ending);
    this.#ready = booted.ready;
    this.#bootSeconds = (performance.now() - started) / 1000;
    const tests = this.left.map((one) => one.unit.test);
    const ending = await guest.run(
      unitRequest(unit, prepared, { imageBytes: images.left, together: tests }),
      unit.timeout + AROUND_THE_TEST,
      prepared.module?.bytes,
    );
    await guest.stop();
    return success(ending);
  }

  /** The folder of the unit that the guest was started for. */
  get #folder(): string {
    return unitFolder(this.#first.unit, this.#first.index);
  }

  #begin(one: Numbered, inherited?: readonly GuestEvent[]): Running {
    const { unit, index } = one;
    const { observer, directory } = this.context;
    observer.unitStarted(unit, index);
    const place = join(directory, unitFolder(unit, index));
    mkdirSync(place, { recursive: true });
    const onStep = (step: string) => observer.unitStep(unit, index, step);
    const budget = this.context.images ?? new ImageBudget(0);
    const images = new ImageKeeper(place, unit.shape.deviceSize, budget);
    const keeper = new RecordKeeper(place, onStep, { images, inherited });
    if (this.#clock) keeper.started(this.#clock);
    return { ...one, keeper, images, started: performance.now() };
  }

  started(clock: GuestClock): void {
    this.#clock = clock;
    this.#running?.keeper.started(clock);
  }

  console(chunk: Buffer): void {
    this.#running?.keeper.console(chunk);
  }

  filePiece(piece: FilePiece): void {
    this.#running?.keeper.filePiece(piece);
  }

  finding(finding: Parameters<GuestObserver['finding']>[0]): void {
    this.#running?.keeper.finding(finding);
  }

  event(event: GuestEvent): void {
    this.#running?.keeper.event(event);
    if (event.event === 'over') {
      this.#turning = this.#turning
        .then(() => this.#turn(event))
        .catch((error) => {
          void this.#guest?.stop();
          this.#fail(storageFailure("the run's directory", error));
        });
    }
  }

  async #turn({ test, next }: Extract<GuestEvent, { event: 'over' }>): Promise<void> {
    const running = this.#running;
    const guest = this.#guest;
    if (!running || !guest) return;
    const { unit, keeper } = running;
    // Before the first test, none is over.
    const begins = test === '';
    if (begins && this.#isLater(next)) {
      keeper.close();
      this.#running = undefined;
      this.#passedOver = this.#first;
      await guest.stop();
      return;
    }
    if (begins ? next !== unit.test || this.#done.size > 0 : test !== unit.test) {
      const problem = `the guest reported test ${(test || next).slice(0, 80)} while ${unit.test} was running`;
      this.#violation = { kind: 'protocol-violation', problem };
      await guest.stop();
      return;
    }
    const seconds = unit.timeout + AROUND_THE_TEST;
    if (begins) {
      guest.goOn(seconds);
      return;
    }
    // The kernel's messages until now belong to this test. The guest prints this line on the
    // console as well.
    if (!(await guest.settle(`daxrepro: over ${test}.`))) return;
    const inherited = keeper.ofTheGuest;
    const result = await this.#conclude({ kind: 'finished' });
    const following = this.left.find((one) => one.unit.test === next && !this.#done.has(one.index));
    if (!following || !isSpotless(result) || !this.context.mayGoOn()) {
      await guest.stop();
      return;
    }
    this.#running = this.#begin(following, inherited);
    guest.goOn(seconds);
  }

  #isLater(test: string): boolean {
    return this.#done.size === 0 && this.left.slice(1).some(({ unit }) => unit.test === test);
  }

  /** Concludes the running test with this ending. */
  async #conclude(ending: Ending): Promise<UnitResult | undefined> {
    const running = this.#running;
    if (!running) return undefined;
    const { keeper, images } = running;
    const isFirst = this.#done.size === 0;
    return this.#tell(
      running,
      success({
        record: keeper.record(ending, this.#ready),
        artifacts: keeper.artifacts,
        images: await images.pack(this.context.signal),
        bootSeconds: isFirst ? this.#bootSeconds : undefined,
        cloned: this.#cloned,
      }),
    );
  }

  /** Our own work failed: the running test, or the first one to run, gets the failure. */
  #fail(failed: { ok: false; failure: Failure }): void {
    const running = this.#running ?? (this.#done.size === 0 ? this.#first : undefined);
    if (running) this.#tell(running, failed);
  }

  #tell(running: Numbered & Partial<Running>, ran: Outcome<UnitRun>): UnitResult {
    const { unit, index, started = performance.now() } = running;
    const after = [...this.#done.values()];
    const shared = { guest: this.#number, after, folder: this.#folder };
    running.keeper?.close();
    this.#running = undefined;
    this.#done.set(index, unit.test);
    const result = concludeUnit(unit, index, ran, this.context, { started, shared });
    this.context.finish(result, index);
    return result;
  }
}

/** Whether the guest is as good as new after this test, as far as we can see. */
function isSpotless(result: UnitResult | undefined): boolean {
  return (
    (result?.verdict === 'pass' || result?.verdict === 'notrun') &&
    result.findings.every(({ severity }) => severity === 'notice')
  );
}
