import { closeSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../findings/finding.js';
import { makeDeviceFile } from '../guest/device-file.js';
import type { Ending, Guest, GuestObserver } from '../guest/guest.js';
import type { FilePiece, GuestEvent, SurvivorEvent, UnitRequest } from '../guest/protocol.js';
import { ImageBudget } from '../launch/images.js';
import { launch, type UnitRunContext } from '../launch/launch.js';
import { RecordKeeper } from '../launch/record-keeper.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Guarantees } from '../power-cut/guarantees.js';
import { type Pages, writePages } from '../power-cut/media.js';
import type { UnitRecord } from '../record/record.js';
import { storageFailure } from '../store/store.js';

/**
 * The guest that looks at what survived: it has the images on a plain disk, one after the other, and
 * mounts each as the next boot would (guest-scripts/programs/survivor.c). Where one kills or hangs it,
 * another guest goes on with the next.
 */

export type LookerContext = Pick<
  UnitRunContext,
  'prepared' | 'directory' | 'store' | 'checkpoints' | 'progress' | 'onStep' | 'signal'
> & {
  /** Seconds for a look at one image; absent: `FOR_ONE`. */
  seconds?: number;
};

/** What came of an image. */
export type Look =
  | {
      kind: 'looked';
      event: SurvivorEvent;
      answers: string;
      /** What the check said, where that is not all right. */
      check: string;
      /** What the kernel complained of meanwhile. */
      complaints: Finding[];
    }
  /** The guest was over before it had said all of it. */
  | { kind: 'lost'; ending: Ending; complaints: Finding[] }
  /** None looked at it: too many guests were lost, the last one so. */
  | { kind: 'unseen'; because: string };

/** Of the disk: sparse, and always as large, so that one checkpoint does for all. */
const DISK = 64 * 2 ** 30;
/**
 * Seconds for a look at one image, on a machine that is busy, and to load the module before the first.
 * The guest's kernel complains of tasks that it blocks for 30.
 */
const FOR_ONE = 120;
/** Until there is something to look at: as long as the unit's own guest takes. */
const A_DAY = 86_400;
/** Guests that may be lost: a kernel that hangs at each image would take hours. */
const MOST_LOST = 3;
/** Bytes that are kept of what the guest says of an image. */
const MOST_SAID = 4 * 2 ** 20;

/** A guest that runs, and what it says of the image that it looks at. */
interface Running {
  guest: Guest;
  over: Promise<Ending>;
  watcher: Watcher;
  /** Closes its files, when it is over. */
  close(): void;
}

export class Looker {
  /** How many images the disk has room for. */
  readonly #room: number;
  #disks: number[] = [];
  #guests = 0;
  #lost = 0;
  /** Why the last one was. */
  #because = '';
  /** On the disk. */
  #images = 0;
  #running: Promise<Outcome<Running>> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly unit: Unit,
    readonly guarantees: Guarantees,
    readonly context: LookerContext,
  ) {
    this.#room = Math.floor(DISK / unit.shape.deviceSize) - 1;
  }

  /** Begins to start a guest: there may soon be something to look at. */
  start(): void {
    this.#running ??= this.#launch();
  }

  /**
   * Has an image looked at, after those before. Resolves when it is on the disk: the pages may change
   * then.
   *
   * @returns `look` fails where there is no guest to be had
   */
  async add(pages: Pages, questions: string): Promise<{ look: Promise<Outcome<Look>> }> {
    if (this.#images === this.#room) await this.#anew();
    this.#images += 1;
    const number = this.#images;
    await this.#write(number, pages);
    const look = this.#queue.then(() => this.#look(number, questions));
    this.#queue = look.catch(() => {});
    return { look };
  }

  async #look(number: number, questions: string): Promise<Outcome<Look>> {
    const bytes = Buffer.from(questions);
    while (this.#lost < MOST_LOST) {
      this.#running ??= this.#launch();
      const running = await this.#running;
      if (!running.ok) return running;
      const { guest, over, watcher } = running.value;
      const told = watcher.next(number);
      guest.goOn(this.context.seconds ?? FOR_ONE, `look ${number} ${bytes.length}\n${bytes}`);
      const came = await Promise.race([told, over]);
      // What the kernel said of it comes another way.
      if ('event' in came && (await guest.settle(`daxrepro: survivor ${number}.`))) {
        guest.rest();
        return success({ kind: 'looked', event: came, ...watcher.said() });
      }
      const ending = await over;
      await this.#end(running.value);
      this.#lost += 1;
      this.#because = watcher.gaveUp
        ? `the guest that looks gave up: ${watcher.gaveUp}`
        : `the guest that looks ended (${describeEnding(ending)})`;
      const { complaints } = watcher.said();
      // What came before it began is not the image's doing.
      if (watcher.began) return success({ kind: 'lost', ending, complaints });
    }
    return success({ kind: 'unseen', because: this.#because });
  }

  async #write(number: number, pages: Pages): Promise<void> {
    const disk = (await this.#openDisks())[0];
    const file = await open(`/proc/self/fd/${disk}`, 'r+');
    try {
      await writePages(file, number * this.unit.shape.deviceSize, pages);
    } catch (error) {
      throw new CannotLook(storageFailure(tmpdir(), error));
    } finally {
      await file.close();
    }
  }

  /** With an empty disk. */
  async #anew(): Promise<void> {
    await this.#queue;
    const running = await this.#running;
    if (running?.ok) await this.#end(running.value);
    this.#closeDisks();
    this.#images = 0;
  }

  async #openDisks(): Promise<number[]> {
    // A guest has two; the other stays empty.
    while (this.#disks.length < 2) {
      const made = makeDeviceFile(DISK);
      if (!made.ok) throw new CannotLook(made);
      this.#disks.push(made.value);
    }
    return this.#disks;
  }

  async #launch(): Promise<Outcome<Running>> {
    const { unit, context, guarantees } = this;
    this.#guests += 1;
    const directory = join(context.directory, `survivors-${this.#guests}`);
    const keeper = await makeKeeper(directory);
    const watcher = new Watcher(keeper);
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
      // The request is on its way when this returns.
      const booted = await guest.ready;
      const over = booted.ok
        ? runBeside(guest, unit, context, request, A_DAY)
        : Promise.resolve(booted.ending);
      return success({ guest, over, watcher, close });
    } catch (error) {
      close();
      if (error instanceof CannotLook) return error.outcome;
      throw error;
    }
  }

  async #end({ guest, over, close }: Running): Promise<void> {
    await guest.stop();
    await over;
    close();
    this.#running = undefined;
  }

  /** Ends the guest, whatever it does: nothing more is looked at. */
  async stop(): Promise<void> {
    this.#lost = MOST_LOST;
    const running = await this.#running?.catch(() => undefined);
    if (running?.ok) await this.#end(running.value);
    await this.#queue;
  }

  /** For when nothing more is added. */
  async close(): Promise<void> {
    await this.stop();
    this.#closeDisks();
  }

  #closeDisks(): void {
    for (const descriptor of this.#disks.splice(0)) closeSync(descriptor);
  }
}

/** Carries a failure to where it can be returned. */
export class CannotLook extends Error {
  constructor(readonly outcome: Extract<Outcome<never>, { ok: false }>) {
    super(outcome.failure.message);
  }
}

/** For a parenthesis. */
export function describeEnding(ending: Ending): string {
  const said = 'message' in ending ? ending.message.trim().split('\n')[0] : '';
  return said ? `${ending.kind}: ${said}` : ending.kind;
}

/** What a guest says of one image, apart from what it says of the others. */
class Watcher implements GuestObserver {
  /** Whether it has begun to look at it. */
  began = false;
  /** Why it does nothing more. */
  gaveUp: string | undefined;
  #number = 0;
  #tell: (event: SurvivorEvent) => void = () => {};
  #texts = new Map<string, Buffer[]>();
  #size = 0;
  #complaints: Finding[] = [];

  constructor(readonly keeper: RecordKeeper) {}

  /** Resolves when the guest has looked at the image of this number. */
  next(number: number): Promise<SurvivorEvent> {
    this.#number = number;
    this.began = false;
    this.#texts = new Map();
    this.#size = 0;
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  said(): { answers: string; check: string; complaints: Finding[] } {
    const text = (suffix: string) =>
      Buffer.concat(this.#texts.get(`survivor-${this.#number}${suffix}`) ?? []).toString();
    return { answers: text(''), check: text('-check'), complaints: this.#complaints.splice(0) };
  }

  console(chunk: Buffer): void {
    this.keeper.console(chunk);
  }

  event(event: GuestEvent): void {
    this.keeper.event(event);
    if (event.event === 'step') this.began ||= event.name === `survivor-${this.#number}`;
    if (event.event === 'gave-up') this.gaveUp = event.message;
    if (event.event === 'survivor' && event.number === this.#number) this.#tell(event);
  }

  filePiece(piece: FilePiece): void {
    this.keeper.filePiece(piece);
    this.#size += piece.data.length;
    if (this.#size > MOST_SAID) return;
    const pieces = this.#texts.get(piece.name) ?? [];
    pieces.push(Buffer.from(piece.data));
    this.#texts.set(piece.name, pieces);
  }

  finding(finding: Finding): void {
    this.keeper.finding(finding);
    this.#complaints.push(finding);
  }
}

async function makeKeeper(directory: string): Promise<RecordKeeper> {
  await mkdir(directory, { recursive: true });
  return new RecordKeeper(directory, () => {});
}

/** A clone of a guest of the unit's kernel, with two plain disks, whose power is not cut. */
async function launchBeside(
  unit: Unit,
  context: LookerContext,
  disks: readonly number[],
  observer: GuestObserver,
  opened: number[],
): Promise<Outcome<Guest>> {
  const { powerCut: _, ...prepared } = context.prepared;
  const { directory, store, checkpoints, progress, onStep, signal } = context;
  const launched = await launch(
    {
      ...unit,
      shape: { ...unit.shape, pmem: 'none', deviceSize: DISK, cpus: 1 },
      powerCut: undefined,
    },
    {
      ...{ directory, store, checkpoints, progress, onStep, signal },
      prepared,
      images: new ImageBudget(0),
      devices: disks,
    },
    observer,
    opened,
  );
  return launched.ok ? success(launched.value.guest) : launched;
}

function runBeside(
  guest: Guest,
  unit: Unit,
  { prepared: { module } }: LookerContext,
  request: Partial<UnitRequest>,
  seconds: number,
): Promise<Ending> {
  return guest.run(
    {
      FS: unit.fs,
      TEST: unit.test,
      TIMEOUT: seconds,
      CLOCK: Date.now() * 1000,
      ENTROPY: '00'.repeat(32),
      MODULE_NEEDS: module?.bytes && module.dependencies.join(' '),
      ...request,
    },
    seconds,
    module?.bytes,
  );
}

/** Has such a guest do something else, once. */
export async function askBeside(
  unit: Unit,
  context: LookerContext,
  request: Partial<UnitRequest>,
  seconds: number,
): Promise<Outcome<UnitRecord>> {
  const keeper = await makeKeeper(context.directory);
  const opened: number[] = [];
  try {
    for (let index = 0; index < 2; index += 1) {
      const made = makeDeviceFile(DISK);
      if (!made.ok) return made;
      opened.push(made.value);
    }
    const launched = await launchBeside(unit, context, [...opened], keeper, opened);
    if (!launched.ok) return launched;
    const guest = launched.value;
    const booted = await guest.ready;
    const ending = booted.ok
      ? await runBeside(guest, unit, context, request, seconds)
      : booted.ending;
    await guest.stop();
    return success(keeper.record(ending, undefined));
  } finally {
    keeper.close();
    for (const descriptor of opened) closeSync(descriptor);
  }
}
