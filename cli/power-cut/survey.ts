import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import type { PowerCutRecord } from '../record/power-cut.js';
import { plural } from '../words.js';
import { CallLog, type Judged } from './call-log.js';
import { type CutEvent, filesOfCut, type PowerCutEvent } from './events.js';
import { type Guarantees, owesTheSame } from './guarantees.js';
import { type Claims, Ledger } from './ledger.js';
import { type Lost, readLost } from './lost.js';
import { baseName, Media, type Pages } from './media.js';
import { readRecord } from './records.js';

/** An image that survived a power cut, and what must hold of it. */

export interface Survivor {
  cut: CutEvent;
  /** TEST_DEV is 0, SCRATCH_DEV 1. */
  device: number;
  state: string;
  claims: Claims;
  /** The lost lines of this device. */
  lost: Lost[];
  pages: Pages;
}

/** The part of the record that is known before any image is examined. */
export type Survey = Pick<
  PowerCutRecord,
  'problem' | 'counters' | 'promises' | 'calls' | 'cuts' | 'repeated'
>;

/**
 * Calls `take` for each image whose pages or claims are new, in the order of the cuts. Its pages may only be
 * read until `take` returns. Files of the medium are removed after they are read.
 *
 * @param directory where the plugin writes
 */
export async function surveyCuts(
  directory: string,
  events: AsyncIterable<PowerCutEvent> | Iterable<PowerCutEvent>,
  owed: { fs: FileSystem; guarantees: Guarantees },
  take: (survivor: Survivor) => Promise<void>,
): Promise<Survey> {
  const surveyor = new Surveyor(directory, owed, take);
  for await (const event of events) {
    const problem = await surveyor.read(event);
    if (problem !== undefined) return { ...surveyor.survey, problem };
  }
  return surveyor.conclude();
}

class Surveyor {
  readonly survey: Survey = { promises: 0, cuts: { promised: 0, moments: 0 }, repeated: 0 };
  readonly #directory: string;
  readonly #fs: FileSystem;
  readonly #guarantees: Guarantees;
  readonly #take: (survivor: Survivor) => Promise<void>;
  readonly #ledger: Ledger;
  readonly #seen = new Set<string>();
  /** Undefined if the test itself records its promises. */
  #calls: CallLog | undefined;
  #devices = 0;
  #media: Media | undefined;

  constructor(
    directory: string,
    { fs, guarantees }: { fs: FileSystem; guarantees: Guarantees },
    take: (survivor: Survivor) => Promise<void>,
  ) {
    this.#directory = directory;
    this.#fs = fs;
    this.#guarantees = guarantees;
    this.#take = take;
    this.#ledger = new Ledger(guarantees);
  }

  /** @returns a problem that ends the survey */
  async read(event: PowerCutEvent): Promise<string | undefined> {
    switch (event.event) {
      case 'open':
        this.#devices = event.ranges.length;
        return undefined;
      case 'begin':
        return this.#begin(event.label);
      case 'return':
        return this.#calls?.returned(event) ? undefined : NOT_OURS;
      case 'promise':
        return this.#promise(event.text);
      case 'cut':
        return this.#cut(event);
      case 'problem':
        return event.text;
      case 'limit':
        this.survey.problem ??= beyondLimit(event.what, this.survey.cuts);
        return undefined;
      case 'stop':
        this.survey.counters = event.counters;
        if (this.#calls && !this.#calls.isComplete) this.survey.problem ??= NOT_COMPLETE;
        return undefined;
      default:
        return undefined;
    }
  }

  conclude(): Survey {
    return this.#calls ? { ...this.survey, ...this.#calls.count() } : this.survey;
  }

  async #begin(label: string): Promise<undefined> {
    this.#media = await Media.begin(this.#directory, this.#devices);
    for (let device = 0; device < this.#devices; device += 1) {
      await rm(join(this.#directory, baseName(device)), { force: true });
    }
    this.#calls = CallLog.begin(label, this.#guarantees);
  }

  #promise(text: string): string | undefined {
    if (this.#calls) return this.#calls.told(text);
    const record = readRecord(text);
    if (!record) return NOT_OURS;
    this.#ledger.add(record);
    if (record.kind !== 'promise') return undefined;
    if ('file' in record && !this.#ledger.isReachable(record.file)) {
      return 'something is promised of a file that has no name';
    }
    if (record.by !== 'begin') this.survey.promises += 1;
    return undefined;
  }

  async #cut(event: CutEvent): Promise<undefined> {
    if (!this.#media) return;
    const directory = this.#directory;
    await this.#media.advance(event.cut);
    const lost = await readLost(directory, event);
    const judged = this.#calls?.judge(event, lost) ?? [
      ofPromises(event, lost, this.#ledger.claims()),
    ];
    let examined = false;
    for (const one of judged) examined = (await this.#examine(event, one, this.#media)) || examined;
    if (examined) this.survey.cuts[event.cause === 'moment' ? 'moments' : 'promised'] += 1;
    else if (event.cause === 'call') this.#calls?.disown();
    await Promise.all(filesOfCut(directory, event).map((file) => rm(file, { force: true })));
  }

  /** @returns whether the images were examined, now or earlier */
  async #examine(cut: CutEvent, judged: Judged, media: Media): Promise<boolean> {
    const { device, lost, states } = judged;
    // daxrepro itself made the file system on TEST_DEV.
    const isOwed = device === 0 || owesTheSame(this.#fs, media.firstPage(device), this.#guarantees);
    if (!isOwed) return false;
    for (const [state, claims] of states) {
      const { pages, fingerprint } = await media.state(device, state);
      const key = `${device} ${fingerprint} ${JSON.stringify(claims)}`;
      if (this.#seen.has(key)) {
        this.survey.repeated += 1;
        continue;
      }
      this.#seen.add(key);
      await this.#take({ cut, device, state, claims, lost, pages });
    }
    return true;
  }
}

/** A test that records its promises does so for TEST_DEV only. */
function ofPromises({ states }: CutEvent, lost: readonly Lost[], claims: Claims): Judged {
  return {
    device: 0,
    lost: lost.filter(({ range }) => range === 0),
    states: new Map(states.map((state) => [state, claims])),
  };
}

/** More promises follow, but no image shows whether they were kept. */
function beyondLimit(
  what: Extract<PowerCutEvent, { event: 'limit' }>['what'],
  { promised, moments }: Survey['cuts'],
): string {
  const after = `after ${plural(promised + moments, 'power cut')}`;
  return what === 'max-cuts'
    ? `${after} there were as many as there may be, and the power was cut no more`
    : `${after} their images filled the room that they may take, and the power was cut no more`;
}

const NOT_COMPLETE = 'the kernel did not say whether it missed sync calls';
const NOT_OURS = 'the guest made a mark that is none of ours';
