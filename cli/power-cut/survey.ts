import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CallLog } from './call-log.js';
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
  guarantees: Guarantees,
  take: (survivor: Survivor) => Promise<void>,
): Promise<Survey> {
  const survey: Survey = { promises: 0, cuts: { promised: 0, moments: 0 }, repeated: 0 };
  const ledger = new Ledger(guarantees);
  let calls: CallLog | undefined;
  const seen = new Set<string>();
  let medium: Medium | undefined;
  for await (const event of events) {
    switch (event.event) {
      case 'begin':
        medium = await Medium.begin(directory);
        await rm(join(directory, BASE), { force: true });
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
        if (!medium) break;
        await medium.advance(event.cut);
        const lost = await readLost(directory, event);
        const claimsOf = calls ? calls.claims(event, lost) : () => ledger.claims();
        // What is not mounted is in nobody's care.
        const judged = calls === undefined || calls.mounted;
        if (judged) survey.cuts[event.cause === 'moment' ? 'moments' : 'promised'] += 1;
        for (const state of judged ? event.states : []) {
          const claims = claimsOf(state);
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
  return calls ? { ...survey, ...calls.count() } : survey;
}

const NOT_OURS = 'the guest made a mark that is none of ours';
