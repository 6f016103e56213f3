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

/** What survived each cut of a guest's power, and what has to hold of it. */

export interface Survivor {
  cut: CutEvent;
  /** TEST_DEV is 0, SCRATCH_DEV 1. */
  device: number;
  state: string;
  claims: Claims;
  /** Of this device. */
  lost: Lost[];
  pages: Pages;
}

/** What of the record is known before any image was looked at. */
export type Survey = Pick<
  PowerCutRecord,
  'problem' | 'counters' | 'promises' | 'calls' | 'cuts' | 'repeated'
>;

/**
 * Calls `take` for each image that is not one of before with the same claims, in the order of the cuts.
 * Pages may only be read until it returns. What was read of the medium is removed: nobody needs it twice.
 *
 * @param directory the plugin's
 */
export async function surveyCuts(
  directory: string,
  events: AsyncIterable<PowerCutEvent> | Iterable<PowerCutEvent>,
  { fs, guarantees }: { fs: FileSystem; guarantees: Guarantees },
  take: (survivor: Survivor) => Promise<void>,
): Promise<Survey> {
  const survey: Survey = { promises: 0, cuts: { promised: 0, moments: 0 }, repeated: 0 };
  const ledger = new Ledger(guarantees);
  let calls: CallLog | undefined;
  const seen = new Set<string>();
  let devices = 0;
  let media: Media | undefined;

  /** @returns whether it was looked at, now or before */
  const look = async (cut: CutEvent, judged: Judged, media: Media): Promise<boolean> => {
    const { device, lost, states } = judged;
    // Of TEST_DEV it is known how it was made.
    if (device > 0 && !owesTheSame(fs, media.firstPage(device), guarantees)) return false;
    for (const [state, claims] of states) {
      const { pages, fingerprint } = await media.state(device, state);
      const key = `${device} ${fingerprint} ${JSON.stringify(claims)}`;
      if (seen.has(key)) {
        survey.repeated += 1;
        continue;
      }
      seen.add(key);
      await take({ cut, device, state, claims, lost, pages });
    }
    return true;
  };

  for await (const event of events) {
    switch (event.event) {
      case 'open':
        devices = event.ranges.length;
        break;
      case 'begin':
        media = await Media.begin(directory, devices);
        for (let device = 0; device < devices; device += 1) {
          await rm(join(directory, baseName(device)), { force: true });
        }
        calls = CallLog.begin(event.label, guarantees);
        break;
      case 'return':
        if (!calls?.returned(event)) return { ...survey, problem: NOT_OURS };
        break;
      case 'promise': {
        if (calls) {
          const problem = calls.told(event.text);
          if (problem) return { ...survey, problem };
          break;
        }
        const record = readRecord(event.text);
        if (!record) return { ...survey, problem: NOT_OURS };
        ledger.add(record);
        if (record.kind !== 'promise') break;
        if ('file' in record && !ledger.isReachable(record.file)) {
          return { ...survey, problem: 'something is promised of a file that has no name' };
        }
        if (record.by !== 'begin') survey.promises += 1;
        break;
      }
      case 'cut': {
        if (!media) break;
        await media.advance(event.cut);
        const lost = await readLost(directory, event);
        const judged = calls?.judge(event, lost) ?? [ofPromises(event, lost, ledger.claims())];
        let looked = false;
        for (const one of judged) looked = (await look(event, one, media)) || looked;
        if (looked) survey.cuts[event.cause === 'moment' ? 'moments' : 'promised'] += 1;
        else if (event.cause === 'call') calls?.disown();
        await Promise.all(filesOfCut(directory, event).map((file) => rm(file, { force: true })));
        break;
      }
      case 'problem':
        return { ...survey, problem: event.text };
      case 'limit':
        survey.problem ??= beyondLimit(event.what, survey.cuts);
        break;
      case 'stop':
        survey.counters = event.counters;
        if (calls && !calls.isComplete) survey.problem ??= NOT_COMPLETE;
        break;
    }
  }
  return calls ? { ...survey, ...calls.count() } : survey;
}

/** A test that tells of its promises does so of TEST_DEV. */
function ofPromises({ states }: CutEvent, lost: readonly Lost[], claims: Claims): Judged {
  return {
    device: 0,
    lost: lost.filter(({ range }) => range === 0),
    states: new Map(states.map((state) => [state, claims])),
  };
}

/** Later promises are made, and no image shows whether they were kept. */
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
