import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { questionsOf } from '../power-cut/answers.js';
import { BrokenFile } from '../power-cut/broken-file.js';
import { followEvents, readEvents } from '../power-cut/events.js';
import { guaranteesOf, keepsNothing } from '../power-cut/guarantees.js';
import { MOST_QUESTIONS } from '../power-cut/questions.js';
import { type Survey, type Survivor, surveyCuts } from '../power-cut/survey.js';
import { whyNotWatched } from '../power-cut/watched.js';
import type { PowerCutRecord } from '../record/power-cut.js';
import type { Examination } from './examination.js';
import { CannotExamine, Examiner, type ExaminerContext } from './examiner.js';
import { findingsOf } from './image-findings.js';
import { type Image, judgeImage } from './judge-image.js';
import { makeSymbolizer } from './unit-symbols.js';
import { WrongImages } from './wrong-images.js';

/**
 * Examines the images that survive the power cuts of a unit's guest while that guest still runs. A
 * clone of another guest mounts each image as the next boot would, checks it, and compares it with
 * what was promised before its cut. This file schedules; judge-image.ts judges.
 */

export interface CheckContext extends ExaminerContext {
  /** The directory where the plugin writes. */
  cutDirectory: string;
}

/** What the unit's guest reported about itself, after it has ended. */
export interface CutGuest {
  /** Its /proc/modules, and the address of its kernel. */
  modules: string;
  /** TEST_DEV and SCRATCH_DEV, with their physical start addresses as the guest reports them. */
  devices: readonly { name: string; address: number | undefined }[];
  /** The options of all the test's mounts of either device. */
  mountOptions: readonly string[];
}

/** Most images that may wait for examination: each takes disk space. */
const MOST_WAITING = 16;
/** Most findings of one unit. */
const MOST_FINDINGS = 50;
/**
 * This many broken promises of sync calls are enough: one decides the verdict, the others show more
 * files and calls.
 */
const ENOUGH = 16;

const NONE = { promises: 0, cuts: { promised: 0, moments: 0 }, images: 0, repeated: 0, asked: 0 };

export class SurvivorCheck {
  readonly #unit: Unit;
  readonly #context: CheckContext;
  readonly #guarantees: ReturnType<typeof guaranteesOf>;
  readonly #examiner: Examiner | undefined;
  readonly #surveyed: Promise<Survey>;
  #guestIsOver: () => void = () => {};
  readonly #waiting = new Set<Promise<void>>();
  readonly #wrong = new WrongImages();
  #images = 0;
  #asked = 0;
  #problem: string | undefined;
  /** The error that kept images from being examined. */
  #failed: { error: unknown } | undefined;
  #closed = false;
  #toldEnough = false;

  /** Call it before the unit's guest starts. */
  constructor(unit: Unit, context: CheckContext) {
    this.#unit = unit;
    this.#context = context;
    const guarantees = guaranteesOf(unit.fs, unit);
    this.#guarantees = guarantees;
    if (!guarantees) {
      this.#surveyed = Promise.resolve(NONE);
      return;
    }
    this.#examiner = new Examiner(unit, guarantees, context);
    this.#examiner.start();
    const over = new Promise<void>((resolve) => {
      this.#guestIsOver = resolve;
    });
    const events = followEvents(context.cutDirectory, over);
    this.#surveyed = surveyCuts(context.cutDirectory, events, { fs: unit.fs, guarantees }, (one) =>
      this.#take(one),
    );
    // `conclude` reports the error. Until then nobody awaits this promise.
    this.#surveyed.catch(() => {});
  }

  /** Call it after the unit's guest has run to its end. */
  async conclude(guest: CutGuest): Promise<Outcome<PowerCutRecord>> {
    this.#guestIsOver();
    if (!this.#guarantees) return success({ ...NONE, findings: [] });
    const { because } = this.#guarantees;
    try {
      const survey = await this.#surveyed;
      const untold = await this.#whyUntold(guest);
      if (untold) {
        return success({ ...NONE, findings: [], problem: untold, guarantees: because });
      }
      await Promise.all(this.#waiting);
      if (this.#failed) throw this.#failed.error;
      await this.#examiner?.stop();
      return success({
        ...survey,
        problem: survey.problem ?? this.#problem,
        images: this.#images,
        asked: this.#asked,
        guarantees: because,
        findings: (await this.#findings(guest)).slice(0, MOST_FINDINGS),
      });
    } catch (error) {
      if (error instanceof CannotExamine) return error.outcome;
      if (!(error instanceof BrokenFile)) throw error;
      return success({ ...NONE, findings: [], problem: error.message, guarantees: because });
    }
  }

  async #whyUntold({ devices, mountOptions }: CutGuest): Promise<string | undefined> {
    const { cutDirectory, prepared } = this.#context;
    const shape = { ...this.#unit.shape, accelerator: prepared.accelerator };
    const addresses = devices.map(({ address }) => address);
    const unwatched = whyNotWatched(shape, addresses, await readEvents(cutDirectory));
    if (unwatched) return unwatched;
    const options = mountOptions.find(keepsNothing);
    return options === undefined
      ? undefined
      : `within the test a file system was mounted with ${options}, which guarantees nothing after a power cut`;
  }

  /**
   * Ends everything that runs and waits for it, if no result is needed any more. May be called
   * twice.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#guestIsOver();
    await this.#examiner?.stop();
    await Promise.allSettled([this.#surveyed, ...this.#waiting]);
    await this.#examiner?.close();
  }

  async #take({ pages, ...image }: Survivor): Promise<void> {
    const questions = questionsOf(image.claims);
    if (Buffer.byteLength(questions) > MOST_QUESTIONS) {
      this.#problem ??= 'more was promised than can be checked in one image';
      return;
    }
    if (!this.#examiner || this.#failed || this.#closed) return;
    const { examined } = await this.#examiner.add(pages, questions);
    const judged: Promise<void> = examined
      .then((examination) => {
        if (!examination.ok) throw new CannotExamine(examination);
        this.#judge(image, examination.value);
      })
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#waiting.delete(judged));
    this.#waiting.add(judged);
    if (this.#waiting.size >= MOST_WAITING) await Promise.race(this.#waiting);
  }

  #judge(image: Image, examination: Examination): void {
    if (!this.#guarantees) return;
    const judgement = judgeImage(image, examination, this.#guarantees);
    this.#problem ??= judgement.problem;
    this.#images += judgement.examined ? 1 : 0;
    this.#asked += judgement.asked;
    this.#wrong.add(image, judgement);
    if (this.#wrong.brokenCalls >= ENOUGH) this.#tellEnough();
  }

  /** Until then the plugin takes an image after each call that lost something. */
  #tellEnough(): void {
    if (this.#toldEnough) return;
    this.#toldEnough = true;
    try {
      writeFileSync(join(this.#context.cutDirectory, 'enough'), '');
    } catch {
      // Ignored: the run only takes longer.
    }
  }

  #findings({ devices, modules }: CutGuest): ReturnType<typeof findingsOf> {
    return findingsOf(this.#wrong.ofCuts(), {
      devices,
      flush: this.#unit.shape.pmem === 'virtio-pmem' ? 'requests' : 'instructions',
      symbolizer: (told) => makeSymbolizer(this.#unit, this.#context, modules, told),
    });
  }
}
