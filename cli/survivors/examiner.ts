import { closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDeviceFile } from '../guest/device-file.js';
import type { Ending, Guest } from '../guest/guest.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Guarantees } from '../power-cut/guarantees.js';
import { type Pages, writePages } from '../power-cut/media.js';
import { storageFailure } from '../store/store.js';
import { type BesideContext, DISK, launchBeside, makeKeeper, runBeside } from './beside.js';
import { describeEnding, type Examination } from './examination.js';
import { ImageWatcher } from './image-watcher.js';

/**
 * The guest that examines images. They lie one after the other on a plain disk, and the guest
 * mounts each as the next boot would (guest-scripts/programs/survivor). If an image kills or
 * hangs the guest, another guest continues with the next image.
 */

export type ExaminerContext = BesideContext & {
  /** Seconds for one image; default: `FOR_ONE`. */
  seconds?: number;
};

/**
 * Seconds for one image on a busy machine; the first one includes loading the module. The guest's
 * kernel reports tasks that hang for 30.
 */
const FOR_ONE = 120;
/** Seconds to wait for the first image: as long as the unit's own guest may take. */
const A_DAY = 86_400;
/** Most guests that may be lost: a kernel that hangs on every image would take hours. */
const MOST_LOST = 3;

/** A running guest, and what it reports about the current image. */
interface Running {
  guest: Guest;
  over: Promise<Ending>;
  watcher: ImageWatcher;
  /** Closes its files after it has ended. */
  close(): void;
}

export class Examiner {
  /** How many images fit on the disk. */
  readonly #room: number;
  #disks: number[] = [];
  #guests = 0;
  #lost = 0;
  /** Why the last guest was lost. */
  #because = '';
  /** Images on the disk. */
  #images = 0;
  #running: Promise<Outcome<Running>> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly unit: Unit,
    readonly guarantees: Guarantees,
    readonly context: ExaminerContext,
  ) {
    this.#room = Math.floor(DISK / unit.shape.deviceSize) - 1;
  }

  /** Starts a guest in the background: an image may come soon. */
  start(): void {
    this.#running ??= this.#launch();
  }

  /**
   * Queues an image for examination. Resolves when it is written to the disk; from then on the
   * pages may change.
   *
   * @returns `examined` fails if no guest can be started
   */
  async add(pages: Pages, questions: string): Promise<{ examined: Promise<Outcome<Examination>> }> {
    if (this.#images === this.#room) await this.#anew();
    this.#images += 1;
    const number = this.#images;
    await this.#write(number, pages);
    const examined = this.#queue.then(() => this.#examine(number, questions));
    this.#queue = examined.catch(() => {});
    return { examined };
  }

  async #examine(number: number, questions: string): Promise<Outcome<Examination>> {
    const bytes = Buffer.from(questions);
    while (this.#lost < MOST_LOST) {
      this.#running ??= this.#launch();
      const running = await this.#running;
      if (!running.ok) return running;
      const { guest, over, watcher } = running.value;
      const told = watcher.next(number);
      // The kernel's messages use another channel: those before this line belong to the image.
      const settled = guest.settle(`daxrepro: survivor ${number}.`);
      guest.goOn(this.context.seconds ?? FOR_ONE, `look ${number} ${bytes.length}\n${bytes}`);
      const came = await Promise.race([told, over]);
      if ('event' in came && (await settled)) {
        guest.rest();
        return success({ kind: 'told', event: came, ...watcher.said() });
      }
      const ending = await over;
      await this.#end(running.value);
      this.#lost += 1;
      this.#because = watcher.gaveUp
        ? `the examining guest gave up: ${watcher.gaveUp}`
        : `the examining guest ended (${describeEnding(ending)})`;
      const { complaints } = watcher.said();
      // What happened before the guest began with the image is not the image's fault.
      if (watcher.began) return success({ kind: 'lost', ending, complaints });
    }
    return success({ kind: 'none', because: this.#because });
  }

  async #write(number: number, pages: Pages): Promise<void> {
    const disk = (await this.#openDisks())[0];
    const file = await open(`/proc/self/fd/${disk}`, 'r+');
    try {
      await writePages(file, number * this.unit.shape.deviceSize, pages);
    } catch (error) {
      throw new CannotExamine(storageFailure(tmpdir(), error));
    } finally {
      await file.close();
    }
  }

  /** Starts a new guest with an empty disk. */
  async #anew(): Promise<void> {
    await this.#queue;
    const running = await this.#running;
    if (running?.ok) await this.#end(running.value);
    this.#closeDisks();
    this.#images = 0;
  }

  async #openDisks(): Promise<number[]> {
    // A guest has two disks; the second stays empty.
    while (this.#disks.length < 2) {
      const made = makeDeviceFile(DISK);
      if (!made.ok) throw new CannotExamine(made);
      this.#disks.push(made.value);
    }
    return this.#disks;
  }

  async #launch(): Promise<Outcome<Running>> {
    const { unit, context, guarantees } = this;
    this.#guests += 1;
    const directory = join(context.directory, `survivors-${this.#guests}`);
    const keeper = await makeKeeper(directory);
    const watcher = new ImageWatcher(keeper);
    const opened: number[] = [];
    const close = () => {
      keeper.close();
      for (const descriptor of opened) closeSync(descriptor);
    };
    try {
      const disks = await this.#openDisks();
      const launched = await launchBeside(unit, { ...context, directory }, disks, watcher, opened);
      if (!launched.ok) {
        close();
        return launched;
      }
      const guest = launched.value;
      const request = {
        SURVIVORS: 1 as const,
        IMAGE_SIZE: unit.shape.deviceSize,
        RECOVERY: guarantees.recovery,
      };
      // The request is being sent when this returns.
      const booted = await guest.ready;
      const over = booted.ok
        ? runBeside(guest, unit, context, request, A_DAY)
        : Promise.resolve(booted.ending);
      return success({ guest, over, watcher, close });
    } catch (error) {
      close();
      if (error instanceof CannotExamine) return error.outcome;
      throw error;
    }
  }

  async #end({ guest, over, close }: Running): Promise<void> {
    await guest.stop();
    await over;
    close();
    this.#running = undefined;
  }

  /** Ends the guest, whatever it is doing. No image is examined any more. */
  async stop(): Promise<void> {
    this.#lost = MOST_LOST;
    const running = await this.#running?.catch(() => undefined);
    if (running?.ok) await this.#end(running.value);
    await this.#queue;
  }

  /** Call it when no more images follow. */
  async close(): Promise<void> {
    await this.stop();
    this.#closeDisks();
  }

  #closeDisks(): void {
    for (const descriptor of this.#disks.splice(0)) closeSync(descriptor);
  }
}

/** Carries a failure to a caller that can return it. */
export class CannotExamine extends Error {
  constructor(readonly outcome: Extract<Outcome<never>, { ok: false }>) {
    super(outcome.failure.message);
  }
}
