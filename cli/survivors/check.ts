import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, KernelFindingKind } from '../findings/finding.js';
import { parseFsck } from '../findings/fsck.js';
import { signature } from '../findings/signature.js';
import type { SurvivorEvent } from '../guest/protocol.js';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { brokenPromises, questionsOf } from '../power-cut/answers.js';
import type { BrokenPromise } from '../power-cut/broken-promise.js';
import { BrokenDelta } from '../power-cut/delta.js';
import { followEvents, readEvents } from '../power-cut/events.js';
import { type CutImage, findingOf, mergeFindings } from '../power-cut/findings.js';
import { guaranteesOf, keepsNothing } from '../power-cut/guarantees.js';
import type { Claims } from '../power-cut/ledger.js';
import { MOST_QUESTIONS } from '../power-cut/questions.js';
import { type Survey, type Survivor, surveyCuts } from '../power-cut/survey.js';
import type { Symbolizer } from '../power-cut/symbols.js';
import { whyNotWatched } from '../power-cut/watched.js';
import type { PowerCutRecord } from '../record/power-cut.js';
import { CannotLook, describeEnding, type Look, Looker, type LookerContext } from './looker.js';
import { makeSymbolizer } from './unit-symbols.js';

/**
 * Looks at what survived the power cuts of a unit's guest, while that guest still runs: each image is
 * mounted in a clone of another guest, as the next boot would mount it, checked, and asked for what was
 * promised before that cut.
 */

export interface CheckContext extends LookerContext {
  /** The plugin's. */
  cutDirectory: string;
}

/** What is known of the unit's guest once it is over. */
export interface CutGuest {
  /** Its /proc/modules, and where its kernel begins. */
  modules: string;
  /** TEST_DEV and SCRATCH_DEV, with the physical addresses at which they begin, as the guest says. */
  devices: readonly { name: string; address: number | undefined }[];
  /** With which file systems were mounted within the test, on either. */
  mountOptions: readonly string[];
}

/** Images that wait to be looked at, at most: each takes room on the disk. */
const MOST_WAITING = 16;
/** Findings of one unit. */
const MOST_FINDINGS = 50;
/** Promises of sync calls that are broken: one is a verdict, and these show which files and calls. */
const ENOUGH = 16;

type Looked = Omit<Survivor, 'pages'>;

/**
 * What is held against an image. Not what the file system itself says of one: to find a torn write at the
 * end of its log is how it recovers, and whether it can is told by the mount, the check and the answers.
 */
const BUGS: ReadonlySet<KernelFindingKind | undefined> = new Set([
  ...(['oops', 'bug', 'warning', 'kasan', 'ubsan', 'kfence', 'kcsan', 'lockdep', 'slab'] as const),
  ...(['hung-task', 'soft-lockup', 'hard-lockup', 'rcu-stall', 'workqueue-lockup'] as const),
]);
/** What is nobody's fault but ours. */
const TROUBLE: ReadonlySet<KernelFindingKind | undefined> = new Set([
  ...(['io-error', 'machine-check', 'out-of-memory'] as const),
]);

/** What an image does not keep, or what is wrong with all of it. */
type Wrong =
  | { survivor: Looked; broken: BrokenPromise; images: number }
  | { survivor: Looked; kind: string; message: string; of?: string | undefined };

const NONE = { promises: 0, cuts: { promised: 0, moments: 0 }, images: 0, repeated: 0, asked: 0 };

export class SurvivorCheck {
  readonly #unit: Unit;
  readonly #context: CheckContext;
  readonly #guarantees: ReturnType<typeof guaranteesOf>;
  readonly #looker: Looker | undefined;
  readonly #surveyed: Promise<Survey>;
  #guestIsOver: () => void = () => {};
  readonly #waiting = new Set<Promise<void>>();
  readonly #wrong: Wrong[] = [];
  /** What is broken where nothing survives that was not sure to, by the cut and the promise. */
  readonly #worst = new Map<string, Extract<Wrong, { images: number }>>();
  /** Cuts and devices of which the image that has everything is as it should be. */
  readonly #sound = new Set<string>();
  #brokenCalls = 0;
  #images = 0;
  #asked = 0;
  #problem: string | undefined;
  /** What kept us from looking. */
  #failed: { error: unknown } | undefined;

  #closed = false;

  /** Before the unit's guest is started. */
  constructor(unit: Unit, context: CheckContext) {
    this.#unit = unit;
    this.#context = context;
    const guarantees = guaranteesOf(unit.fs, unit);
    this.#guarantees = guarantees;
    if (!guarantees) {
      this.#surveyed = Promise.resolve(NONE);
      return;
    }
    this.#looker = new Looker(unit, guarantees, context);
    this.#looker.start();
    const over = new Promise<void>((resolve) => {
      this.#guestIsOver = resolve;
    });
    const events = followEvents(context.cutDirectory, over);
    this.#surveyed = surveyCuts(context.cutDirectory, events, { fs: unit.fs, guarantees }, (one) =>
      this.#take(one),
    );
    // Whoever concludes is told; before that nobody listens.
    this.#surveyed.catch(() => {});
  }

  /** When the unit's guest is over, and has run to its end. */
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
      await this.#looker?.stop();
      return success({
        ...survey,
        problem: survey.problem ?? this.#problem,
        images: this.#images,
        asked: this.#asked,
        guarantees: because,
        findings: mergeFindings(await this.#findings(guest)).slice(0, MOST_FINDINGS),
      });
    } catch (error) {
      if (error instanceof CannotLook) return error.outcome;
      if (!(error instanceof BrokenDelta)) throw error;
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
      : `within the test a file system was mounted with ${options}, which guarantees nothing over a power cut`;
  }

  /** Ends what runs and waits for it: for when nobody wants to know any more. Does nothing twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#guestIsOver();
    await this.#looker?.stop();
    await Promise.allSettled([this.#surveyed, ...this.#waiting]);
    await this.#looker?.close();
  }

  async #take({ pages, ...survivor }: Survivor): Promise<void> {
    const questions = questionsOf(survivor.claims);
    if (questions.length > MOST_QUESTIONS) {
      this.#problem ??= 'more is promised than can be asked at once';
      return;
    }
    if (!this.#looker || this.#failed || this.#closed) return;
    const { look } = await this.#looker.add(pages, questions);
    const judged: Promise<void> = look
      .then((looked) => {
        if (!looked.ok) throw new CannotLook(looked);
        this.#judge(survivor, looked.value);
      })
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#waiting.delete(judged));
    this.#waiting.add(judged);
    if (this.#waiting.size >= MOST_WAITING) await Promise.race(this.#waiting);
  }

  #judge(survivor: Looked, look: Look): void {
    if (look.kind === 'unseen') {
      this.#problem ??= `what survived was not looked at to its end: ${look.because}`;
      return;
    }
    const ofKind = (kinds: ReadonlySet<KernelFindingKind | undefined>) =>
      look.complaints.filter(({ kind, severity }) => severity !== 'notice' && kinds.has(kind));
    const [trouble] = ofKind(TROUBLE);
    if (trouble) {
      this.#problem ??= `the guest that looks was in trouble of its own: ${trouble.message}`;
      return;
    }
    const complaints = ofKind(BUGS);
    if (look.kind === 'looked') this.#judgeLook(survivor, look);
    else this.#judgeLost(survivor, look, complaints);
    for (const complaint of complaints) {
      const message = `the kernel complains: ${complaint.message}`;
      this.#found('kernel', survivor, message, complaint.signature);
    }
  }

  /** The guest was over before it had said what it saw. */
  #judgeLost(
    survivor: Looked,
    { ending }: Extract<Look, { kind: 'lost' }>,
    complaints: readonly Finding[],
  ): void {
    if (ending.kind === 'panic') {
      this.#found('panic', survivor, `the kernel panics on it: ${ending.message}`);
      return;
    }
    if (complaints.length > 0) return;
    const where = `power cut ${survivor.cut.cut}, ${survivor.state} survives`;
    this.#problem ??= `the guest that looked at an image ended (${describeEnding(ending)}): ${where}`;
  }

  #judgeLook(survivor: Looked, look: Extract<Look, { kind: 'looked' }>): void {
    const { event, answers, check } = look;
    const { repair, mount, looked } = event;
    const gap = whatIsMissing(event, this.#guarantees?.recovery === 'repair');
    if (gap) {
      this.#problem ??= `an image that survived was not looked at to its end: ${gap}`;
      return;
    }
    this.#images += 1;
    if (repair !== undefined && repair >= 4) {
      this.#found('repair', survivor, `e2fsck cannot repair it (exit code ${repair})`);
      return;
    }
    if (mount !== 0) {
      this.#found('mount', survivor, `it cannot be mounted: ${event.said.trim().split('\n')[0]}`);
      return;
    }
    const broken = looked === 0 ? brokenPromises(survivor.claims, answers) : undefined;
    if (!broken) {
      this.#problem ??= `an image that survived gave no answers: ${event.said.trim()}`;
      return;
    }
    this.#asked += countClaims(survivor.claims);
    for (const one of broken) this.#addBroken(survivor, one);
    if (event.check === undefined || event.check === 0) {
      if (survivor.state === 'everything') this.#sound.add(placeOf(survivor));
      return;
    }
    const report = parseFsck(check, {});
    const serious = report?.findings.find(({ severity }) => severity !== 'notice');
    const message = `its check afterwards finds: ${serious?.message ?? `exit code ${event.check}`}`;
    this.#found('check', survivor, message, serious?.signature);
  }

  #addBroken(survivor: Looked, broken: BrokenPromise): void {
    // What is broken where nothing survives is, where only some of it does, the same: less of it.
    const which = `${placeOf(survivor)} ${broken.kind} ${broken.name} ${broken.by}`;
    const known = this.#worst.get(which);
    if (known) {
      known.images += 1;
      return;
    }
    const wrong = { survivor, broken, images: 1 };
    this.#wrong.push(wrong);
    if (survivor.claims.call) this.#countBrokenCall();
    if (survivor.state === 'nothing') this.#worst.set(which, wrong);
  }

  /** The plugin takes an image at each call that lost something, until it is told that it is enough. */
  #countBrokenCall(): void {
    this.#brokenCalls += 1;
    if (this.#brokenCalls !== ENOUGH) return;
    try {
      writeFileSync(join(this.#context.cutDirectory, 'enough'), '');
    } catch {
      // It takes longer, that is all.
    }
  }

  /** Of all of the image. */
  #found(kind: string, survivor: Looked, message: string, of?: string): void {
    this.#wrong.push({ survivor, kind, message, of });
  }

  /**
   * Tests break the file system on SCRATCH_DEV on purpose. What is wrong where everything survives is no
   * power cut's doing; of TEST_DEV it is a finding all the same.
   */
  #isOfACut(wrong: Wrong): boolean {
    return (
      'broken' in wrong || wrong.survivor.device === 0 || this.#sound.has(placeOf(wrong.survivor))
    );
  }

  async #findings({ devices, modules }: CutGuest): Promise<Finding[]> {
    const findings: Finding[] = [];
    const flush = this.#unit.shape.pmem === 'virtio-pmem' ? 'requests' : 'instructions';
    let symbolizer: Symbolizer | undefined;
    for (const wrong of this.#wrong.filter((one) => this.#isOfACut(one))) {
      const { cut, state, lost } = wrong.survivor;
      const device = devices[wrong.survivor.device]?.name ?? '';
      if ('broken' in wrong) {
        const told = !wrong.survivor.claims.call;
        symbolizer ??= await makeSymbolizer(this.#unit, this.#context, modules, told);
        const { broken, images } = wrong;
        const image: CutImage = { cut: cut.cut, state, lost, flush };
        const finding = await findingOf(broken, image, device, symbolizer);
        if (finding.powerCut) finding.powerCut.images = images;
        findings.push(finding);
        continue;
      }
      const { kind, message, of } = wrong;
      findings.push({
        tool: 'power-cut',
        device,
        message: `after a power cut (${state} of what was not flushed survives) ${message}`,
        signature: signature('power-cut', kind, of),
        severity: 'corruption',
        powerCut: { promise: kind, cut: cut.cut, state, images: 1 },
      });
    }
    return findings;
  }
}

function placeOf({ cut, device }: Looked): string {
  return `${cut.cut} ${device}`;
}

/** What a guest left out of what it has to say of an image; undefined where that is nothing. */
function whatIsMissing(
  { repair, mount, looked, check, said }: SurvivorEvent,
  repairs: boolean,
): string | undefined {
  const why = said.trim() === '' ? '' : `: ${said.trim().split('\n')[0]}`;
  const crashed = (status = 0) => status >= 127;
  if (repairs && repair === undefined) return `it was not repaired${why}`;
  if (repairs && crashed(repair)) return `e2fsck ended with ${repair}`;
  if (repair !== undefined && repair >= 4) return undefined;
  if (mount === undefined) return `it was not mounted${why}`;
  if (mount !== 0) return undefined;
  if (looked === undefined) return `it was not asked${why}`;
  if (repairs) return undefined;
  if (check === undefined) return `it was not checked afterwards${why}`;
  return crashed(check) ? `its check ended with ${check}` : undefined;
}

/** What has to hold: a name that may be there or not, with nothing promised of its file, is none. */
function countClaims({ names, moves, call }: Claims): number {
  if (call) return (call.lost.length > 0 ? 1 : 0) + (call.file?.unchanged ? 1 : 0);
  const ofName = ({ mayBeAbsent, files }: Claims['names'][number]) =>
    (mayBeAbsent && files.length > 0 ? 0 : 1) +
    files.reduce((sum, { parts, size }) => sum + parts.length + (size ? 1 : 0), 0);
  return names.reduce((sum, name) => sum + ofName(name), moves.length);
}
