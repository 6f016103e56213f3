import { closeSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageBudget } from '../evidence/images.js';
import type { Finding } from '../findings/finding.js';
import { parseFsck } from '../findings/fsck.js';
import { signature } from '../findings/signature.js';
import { makeDeviceFile } from '../guest/device-file.js';
import { guestPrograms } from '../guest/programs.js';
import type { SurvivorEvent, UnitRequest } from '../guest/protocol.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { launch, type UnitRunContext } from '../run/launch.js';
import { RecordKeeper } from '../run/record-keeper.js';
import { cacheKey, lookUpOrMake } from '../store/store.js';
import type { UnitRecord } from '../verdict/record.js';
import { brokenPromises, questionsOf } from './answers.js';
import { BrokenDelta } from './delta.js';
import { readEvents } from './events.js';
import { findingOf, mergeFindings } from './findings.js';
import { type Guarantees, guaranteesOf } from './guarantees.js';
import type { Claims } from './ledger.js';
import { writePages } from './medium.js';
import type { PowerCutRecord } from './record.js';
import { type Survivor, surveyCuts } from './survey.js';
import { kernelSymbols, kernelText, loadedModules, Symbolizer, type Symbols } from './symbols.js';

/**
 * Looks at what survived the power cuts of a unit's guest: each image is mounted in a clone of another
 * guest, as the next boot would mount it, checked, and asked for what was promised before that cut. One
 * guest looks at many, which lie one after the other on its disk.
 */

export interface CheckContext extends UnitRunContext {
  /** The plugin's. */
  cutDirectory: string;
  /** /proc/modules of the guest whose power was cut, and where its kernel begins. */
  modules: string;
  device: string;
}

/** The disks of the guest that looks: sparse, and always as large, so that one checkpoint does for all. */
const DISK = 64 * 2 ** 30;
const QUESTIONS = 2 ** 20;
/** Seconds for a look at one image, on a machine that is busy. */
const FOR_ONE = 30;
/** Findings of one unit. */
const MOST_FINDINGS = 50;

type Looked = Omit<Survivor, 'pages'>;

export async function checkSurvivors(
  unit: Unit,
  context: CheckContext,
): Promise<Outcome<PowerCutRecord>> {
  const none = { promises: 0, cuts: { promised: 0, moments: 0 }, images: 0, repeated: 0, asked: 0 };
  const guarantees = guaranteesOf(unit.fs, unit);
  if (!guarantees) return success({ ...none, findings: [] });
  const events = await readEvents(context.cutDirectory);
  const batches = new Batches(unit, guarantees, context);
  try {
    const survey = await surveyCuts(context.cutDirectory, events, guarantees, (survivor) =>
      batches.add(survivor),
    );
    await batches.look();
    const { problem, findings, images, asked } = batches.conclude();
    return success({
      ...survey,
      problem: survey.problem ?? problem,
      images,
      asked,
      guarantees: guarantees.because,
      findings,
    });
  } catch (error) {
    if (error instanceof CannotLook) return error.outcome;
    if (error instanceof BrokenDelta) {
      return success({
        ...none,
        findings: [],
        problem: error.message,
        guarantees: guarantees.because,
      });
    }
    throw error;
  } finally {
    batches.close();
  }
}

/** Carries a failure out of the survey. */
class CannotLook extends Error {
  constructor(readonly outcome: ReturnType<typeof failure>) {
    super(outcome.failure.message);
  }
}

class Batches {
  readonly #most: number;
  readonly #findings: Finding[] = [];
  #images = 0;
  #asked = 0;
  /** What is broken where nothing survives that was not sure to, by the cut and the promise. */
  readonly #worst = new Map<string, Finding>();
  #guests = 0;
  #batch: Looked[] = [];
  #disks: [number, number] | undefined;
  #problem: string | undefined;
  /** Where a promise is broken. */
  #symbolizer: Promise<Symbolizer> | undefined;

  constructor(
    readonly unit: Unit,
    readonly guarantees: Guarantees,
    readonly context: CheckContext,
  ) {
    this.#most = Math.floor(DISK / unit.shape.deviceSize) - 1;
  }

  async add({ pages, ...survivor }: Survivor): Promise<void> {
    if (this.#batch.length === this.#most) await this.look();
    this.#disks ??= [makeDisk(), makeDisk()];
    const number = this.#batch.push(survivor);
    const [images, questions] = this.#disks;
    await write(images, (file) => writePages(file, number * this.unit.shape.deviceSize, pages));
    const text = Buffer.from(`${questionsOf(survivor.claims)}\0`);
    if (text.length > QUESTIONS) {
      this.#problem ??= 'more is promised than can be asked at once';
      return;
    }
    await write(questions, async (file) => {
      await file.write(text, 0, text.length, number * QUESTIONS);
    });
  }

  /** Has a guest look at what is on the disks. */
  async look(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0 || !this.#disks) return;
    this.#guests += 1;
    const directory = join(this.context.directory, `survivors-${this.#guests}`);
    this.context.onStep(`${batch.length} images that survived`);
    const ran = await runLooker(
      this.unit,
      this.context,
      directory,
      this.#disks,
      {
        SURVIVORS: batch.length,
        IMAGE_SIZE: this.unit.shape.deviceSize,
        RECOVERY: this.guarantees.recovery,
      },
      batch.length * FOR_ONE,
    );
    if (!ran.ok) throw new CannotLook(ran);
    const looks = ran.value.events.filter((event) => event.event === 'survivor');
    for (const [index, survivor] of batch.entries()) {
      const look = looks.find(({ number }) => number === index + 1);
      if (look) await this.#judge(survivor, look, directory);
      else this.#unseen(survivor, ran.value);
    }
    this.close();
    this.#batch = [];
  }

  /** The guest was over before it came to this image. */
  #unseen(survivor: Looked, { ending }: UnitRecord): void {
    if (ending.kind === 'panic') {
      const message = `the kernel panicked on what survived a power cut: ${ending.message}`;
      this.#found('panic', survivor, message);
    }
    this.#problem ??= `what survived was not looked at to its end: the guest ended (${ending.kind})`;
  }

  async #judge(survivor: Looked, look: SurvivorEvent, directory: string): Promise<void> {
    this.#images += 1;
    const text = (name: string) =>
      readFile(join(directory, `survivor-${look.number}${name}.txt`), 'utf8').catch(() => '');
    if ((look.repair ?? 0) >= 4) {
      this.#found('repair', survivor, `e2fsck cannot repair it (exit code ${look.repair})`);
      return;
    }
    if (look.mount !== 0) {
      this.#found('mount', survivor, `it cannot be mounted: ${look.said.trim().split('\n')[0]}`);
      return;
    }
    const broken = look.looked === 0 ? brokenPromises(survivor.claims, await text('')) : undefined;
    if (!broken) {
      this.#problem ??= `an image that survived gave no answers: ${look.said.trim()}`;
      return;
    }
    this.#asked += countClaims(survivor.claims);
    for (const one of broken) {
      // What is broken where nothing survives is, where only some of it does, the same: less of it.
      const which = `${survivor.cut.cut} ${one.kind} ${one.name} ${one.by}`;
      const known = this.#worst.get(which)?.powerCut;
      if (known) {
        known.images += 1;
        continue;
      }
      const image = { cut: survivor.cut.cut, state: survivor.state, lost: survivor.lost };
      this.#symbolizer ??= makeSymbolizer(this.unit, this.context);
      const finding = await findingOf(one, image, this.context.device, await this.#symbolizer);
      this.#findings.push(finding);
      if (survivor.state === 'nothing') this.#worst.set(which, finding);
    }
    if (look.check === undefined || look.check === 0) return;
    const { device } = this.context;
    const report = parseFsck(await text('-check'), { device });
    const serious = report?.findings.find(({ severity }) => severity !== 'notice');
    const message = `its check afterwards finds: ${serious?.message ?? `exit code ${look.check}`}`;
    this.#found('check', survivor, message, serious?.signature);
  }

  /** Of all of the image. */
  #found(kind: string, { cut, state }: Looked, message: string, of?: string): void {
    this.#findings.push({
      tool: 'power-cut',
      device: this.context.device,
      message: `after a power cut (${state} of what was not flushed survives) ${message}`,
      signature: signature('power-cut', kind, of),
      severity: 'corruption',
      powerCut: { promise: kind, cut: cut.cut, state, images: 1 },
    });
  }

  conclude() {
    const findings = mergeFindings(this.#findings).slice(0, MOST_FINDINGS);
    return { problem: this.#problem, findings, images: this.#images, asked: this.#asked };
  }

  close(): void {
    for (const descriptor of this.#disks ?? []) closeSync(descriptor);
    this.#disks = undefined;
  }
}

/** What has to hold: a name that may be there or not, with nothing promised of its file, is none. */
function countClaims({ names, moves }: Claims): number {
  const ofName = ({ mayBeAbsent, files }: Claims['names'][number]) =>
    (mayBeAbsent && files.length > 0 ? 0 : 1) +
    files.reduce((sum, { parts, size }) => sum + parts.length + (size ? 1 : 0), 0);
  return names.reduce((sum, name) => sum + ofName(name), moves.length);
}

function makeDisk(): number {
  const made = makeDeviceFile(DISK);
  if (!made.ok) throw new CannotLook(made);
  return made.value;
}

async function write(
  descriptor: number,
  action: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const file = await open(`/proc/self/fd/${descriptor}`, 'r+');
  try {
    await action(file);
  } finally {
    await file.close();
  }
}

/** A guest with two plain disks, which looks at what is on them. */
async function runLooker(
  unit: Unit,
  context: CheckContext,
  directory: string,
  disks: readonly number[],
  request: Partial<UnitRequest>,
  seconds: number,
): Promise<Outcome<UnitRecord>> {
  await mkdir(directory, { recursive: true });
  const { powerCut: _, ...prepared } = context.prepared;
  const { module } = prepared;
  const looker: Unit = {
    ...unit,
    shape: { ...unit.shape, pmem: 'none', deviceSize: DISK, cpus: 1 },
    powerCut: undefined,
  };
  const keeper = new RecordKeeper(directory, () => {});
  const opened: number[] = [];
  try {
    const launched = await launch(
      looker,
      {
        ...context,
        prepared,
        directory,
        images: new ImageBudget(0),
        contents: undefined,
        devices: disks,
      },
      keeper,
      opened,
    );
    if (!launched.ok) return launched;
    const { guest } = launched.value;
    const booted = await guest.ready;
    const ending = booted.ok
      ? await guest.run(
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
        )
      : booted.ending;
    await guest.stop();
    return success(keeper.record(ending, booted.ok ? booted.ready : undefined));
  } finally {
    keeper.close();
    for (const descriptor of opened) closeSync(descriptor);
  }
}

async function makeSymbolizer(unit: Unit, context: CheckContext): Promise<Symbolizer> {
  const { module } = context.prepared;
  const programs = await guestPrograms({ store: context.store });
  const promises = programs.ok ? programs.value.files.get('promises') : undefined;
  return new Symbolizer({
    program: promises === undefined ? undefined : { name: 'promises', file: promises },
    modules: loadedModules(context.modules),
    text: kernelText(context.modules),
    moduleFile: (name) => (name === unit.fs ? module?.file : undefined),
    kernel: () => symbolsOfKernel(unit, context),
  });
}

/** Asked of a guest once for each kernel; a kernel whose symbols cannot be had leaves places unnamed. */
async function symbolsOfKernel(unit: Unit, context: CheckContext): Promise<Symbols> {
  const { kernel } = context.prepared;
  const key = cacheKey({ layout: 1, kernel: kernel.id });
  const made = await lookUpOrMake(context.store, 'kernel-symbols', key, async (directory) => {
    context.onStep("the kernel's symbols");
    const disks = [makeDisk(), makeDisk()];
    const place = join(context.directory, 'symbols');
    const ran = await runLooker(unit, context, place, disks, { SYMBOLS: 1 }, 120);
    for (const disk of disks) closeSync(disk);
    if (!ran.ok) return ran;
    const text = await readFile(join(place, 'symbols.txt'), 'utf8').catch(() => '');
    if (text === '') {
      return failure('tool-failed', "The kernel's symbols are not told", 'Look at its console');
    }
    await writeFile(join(directory, 'symbols'), text);
    return success(undefined);
  });
  return made.ok ? kernelSymbols(await readFile(join(made.value, 'symbols'), 'utf8')) : [];
}
