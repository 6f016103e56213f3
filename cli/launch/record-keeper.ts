import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseFsck } from '../findings/fsck.js';
import { now } from '../guest/cpu-clock.js';
import type { GuestClock } from '../guest/cpu-history.js';
import type { GuestObserver } from '../guest/guest.js';
import type { FilePiece, GuestEvent } from '../guest/protocol.js';
import type { UnitRecord } from '../record/record.js';
import { readUnmounts } from '../record/unmounts.js';
import { readWriteBack, type WriteBackTrace } from '../record/write-back.js';
import type { ImageKeeper } from './images.js';

/** Limit for a guest's console and for all its files, in bytes: a guest must not fill our disk. */
const MOST_CONSOLE = 64 * 1024 * 1024;
const MOST_FILES = 64 * 1024 * 1024;

/** The console's line for a unit's first step. */
const FIRST_STEP = 'daxrepro: load-module';

export interface KeeperOptions {
  /** Takes the images of devices; without it they are dropped. */
  images?: ImageKeeper | undefined;
  /** For a guest that ran other tests: the events before its first test. */
  inherited?: readonly GuestEvent[] | undefined;
}

/** Keeps the console, the events and the guest's files, all within limits. */
export class RecordKeeper implements GuestObserver {
  readonly artifacts: Record<string, string> = {};
  readonly #console: number;
  readonly #log: number;
  readonly #events: GuestEvent[] = [];
  readonly #bootFindings: UnitRecord['bootFindings'] = [];
  readonly #kernelFindings: UnitRecord['kernelFindings'] = [];
  readonly #files = new Map<string, number>();
  readonly #images: ImageKeeper | undefined;
  #consoleSize = 0;
  #filesSize = 0;
  /** Whether the unit has begun: messages of the kernel count against it from then on. */
  #begun = false;
  #clonedMounted = false;
  #consoleEnd = '';
  #clock: GuestClock | undefined;
  /** By the guest's clock, in seconds. */
  #since = 0;
  #testSince: number | undefined;
  #testUntil: number | undefined;

  constructor(
    readonly directory: string,
    readonly onStep: (step: string) => void,
    { images, inherited }: KeeperOptions = {},
  ) {
    this.#images = images;
    this.#begun = inherited !== undefined;
    mkdirSync(directory, { recursive: true });
    this.#console = this.#open('console', 'console.log');
    this.#log = this.#open('events', 'events.jsonl');
    for (const event of inherited ?? []) this.event(event);
  }

  /** Events that hold for all tests of a guest: what it is, and what it loaded. */
  get ofTheGuest(): GuestEvent[] {
    return this.#events.filter(({ event }) => event === 'begin' || event === 'module');
  }

  #open(name: string, file: string): number {
    this.artifacts[name] = file;
    return openSync(join(this.directory, file), 'w');
  }

  /**
   * For a clone that begins with its file system mounted: keeps what the guest reported before it
   * was saved. With undefined: the unit begins anew.
   */
  mounted(from: { modules: readonly GuestEvent[]; bootLog: Uint8Array } | undefined): void {
    this.#clonedMounted = from !== undefined;
    this.#begun = from !== undefined;
    this.#consoleEnd = '';
    for (const list of [this.#events, this.#bootFindings, this.#kernelFindings]) list.length = 0;
    for (const event of from?.modules ?? []) this.event(event);
    if (from) this.filePiece({ name: 'boot-log', data: from.bootLog });
  }

  started(clock: GuestClock): void {
    this.#clock = clock;
    this.#since = now();
  }

  console(chunk: Buffer): void {
    this.#lookForFirstStep(chunk);
    if (this.#consoleSize > MOST_CONSOLE) return;
    this.#consoleSize += chunk.length;
    writeSync(this.#console, chunk);
    if (this.#consoleSize > MOST_CONSOLE) {
      writeSync(this.#console, '\n[daxrepro: the console is cut off here]\n');
    }
  }

  /**
   * Console and channel are not synchronised: a warning of the first step may arrive before the
   * event of that step. The guest therefore names its steps on the console too
   * (guest-scripts/lib/unit.sh).
   */
  #lookForFirstStep(chunk: Buffer): void {
    if (this.#begun) return;
    const text = this.#consoleEnd + chunk.toString('latin1');
    this.#begun = text.includes(FIRST_STEP);
    this.#consoleEnd = text.slice(-FIRST_STEP.length);
  }

  event(event: GuestEvent): void {
    if (event.event === 'file') return;
    if (event.event === 'image') this.#images?.end(event.name, event.device, event.whole);
    if (event.event === 'step') {
      this.#begun = true;
      this.onStep(event.name);
      if (event.name === 'test') this.#testSince = now();
    }
    if (event.event === 'test' || event.event === 'xfstests') this.#testUntil = now();
    // Events count against the limit, so a guest cannot flood us with them either.
    this.#filesSize += JSON.stringify(event).length;
    if (this.#filesSize > MOST_FILES) return;
    this.#events.push(event);
    writeSync(this.#log, `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
  }

  finding(finding: UnitRecord['kernelFindings'][number]): void {
    (this.#begun ? this.#kernelFindings : this.#bootFindings).push(finding);
  }

  filePiece(piece: FilePiece): void {
    if (piece.offset !== undefined) {
      this.#images?.piece(piece);
      return;
    }
    const { name, data } = piece;
    this.#filesSize += data.length;
    if (this.#filesSize > MOST_FILES) return;
    let file = this.#files.get(name);
    if (file === undefined) {
      // The name was validated when the event was read. The suffix keeps it from our own files.
      file = this.#open(name, `${name}.txt`);
      this.#files.set(name, file);
    }
    writeSync(file, data);
  }

  record(ending: UnitRecord['ending'], ready: UnitRecord['ready']): UnitRecord {
    const checks: UnitRecord['checks'] = {};
    for (const event of this.#events) {
      if (event.event !== 'fsck') continue;
      const report = parseFsck(this.#text(`fsck-${event.name}`), {
        device: event.device,
        alone: true,
      });
      if (report) checks[event.name] = report;
    }
    const suiteChecks = this.#events
      .filter((event) => event.event === 'check')
      .map((event) => ({
        event,
        report: parseFsck(this.#text(event.file), { device: event.device }),
      }));
    return {
      ending,
      ready,
      ...(this.#clonedMounted ? { clonedMounted: true } : {}),
      events: this.#events,
      bootFindings: this.#bootFindings,
      kernelFindings: this.#kernelFindings,
      checks,
      suiteChecks,
      unmounts: readUnmounts(this.#text('unmounts')),
      writeBack: this.#writeBack(),
      cpu: this.#cpu(),
    };
  }

  #cpu(): UnitRecord['cpu'] {
    if (!this.#clock) return undefined;
    const until = now();
    const unit = this.#clock.between(this.#since, until);
    const test =
      this.#testSince === undefined
        ? undefined
        : this.#clock.between(this.#testSince, this.#testUntil ?? until);
    const longest = this.#clock.longestStarved(this.#since, until);
    if (!longest) return { unit, test };
    const { from, ...supply } = longest;
    const at = new Date(performance.timeOrigin + from * 1000).toISOString();
    return { unit, test, longestStarved: { ...supply, at } };
  }

  #writeBack(): WriteBackTrace | undefined {
    const event = this.#events.find((one) => one.event === 'trace');
    return event && readWriteBack(this.#text('write-back'), event);
  }

  /** The content that the guest sent under this name; empty if none. */
  #text(name: string): string {
    const file = this.#files.has(name) ? this.artifacts[name] : undefined;
    return file === undefined ? '' : readFileSync(join(this.directory, file), 'utf8');
  }

  close(): void {
    for (const file of [this.#console, this.#log, ...this.#files.values()]) closeSync(file);
  }
}
