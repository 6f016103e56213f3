import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CutEvent, filesOfCut, type Lost, type PowerCutEvent, readLost } from './events.js';
import type { Guarantees } from './guarantees.js';
import { type Claims, Ledger } from './ledger.js';
import { BASE, Medium, type Pages } from './medium.js';
import type { PowerCutRecord } from './record.js';
import { readRecord } from './records.js';

/** What survived each cut of a guest's power, and what has to hold of it. */

export interface Survivor {
  cut: CutEvent;
  state: string;
  claims: Claims;
  lost: Lost[];
  pages: Pages;
}

/** What of the record is known before any image was looked at. */
export type Survey = Pick<
  PowerCutRecord,
  'problem' | 'counters' | 'promises' | 'cuts' | 'repeated'
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
  guarantees: Guarantees,
  take: (survivor: Survivor) => Promise<void>,
): Promise<Survey> {
  const survey: Survey = { promises: 0, cuts: { promised: 0, moments: 0 }, repeated: 0 };
  const ledger = new Ledger(guarantees);
  const seen = new Set<string>();
  let medium: Medium | undefined;
  for await (const event of events) {
    switch (event.event) {
      case 'begin':
        medium = await Medium.begin(directory);
        await rm(join(directory, BASE), { force: true });
        break;
      case 'promise': {
        const record = readRecord(event.text);
        if (!record) return { ...survey, problem: 'the guest made a mark that is none of ours' };
        ledger.add(record);
        if (record.kind !== 'promise') break;
        if ('file' in record && !ledger.isReachable(record.file)) {
          return { ...survey, problem: 'something is promised of a file that has no name' };
        }
        if (record.by !== 'begin') survey.promises += 1;
        break;
      }
      case 'cut': {
        if (!medium) break;
        survey.cuts[event.cause === 'moment' ? 'moments' : 'promised'] += 1;
        await medium.advance(event.cut);
        const claims = ledger.claims();
        const lost = await readLost(directory, event);
        for (const state of event.states) {
          const { pages, fingerprint } = await medium.state(state);
          const key = `${fingerprint} ${JSON.stringify(claims)}`;
          if (seen.has(key)) {
            survey.repeated += 1;
            continue;
          }
          seen.add(key);
          await take({ cut: event, state, claims, lost, pages });
        }
        await Promise.all(filesOfCut(directory, event).map((file) => rm(file, { force: true })));
        break;
      }
      case 'problem':
        return { ...survey, problem: event.text };
      case 'stop':
      case 'end':
        survey.counters ??= event.counters;
        break;
    }
  }
  return survey;
}
