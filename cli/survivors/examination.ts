import type { Finding } from '../findings/finding.js';
import type { Ending } from '../guest/guest.js';
import type { SurvivorEvent } from '../guest/protocol.js';

/** What became of an image that was given to an examining guest. */
export type Examination =
  | {
      kind: 'told';
      event: SurvivorEvent;
      /** To the questions (guest-scripts/programs/survivor/questions.h has their form). */
      answers: string;
      /** What the check printed. */
      check: string;
      /** What the kernel printed meanwhile. */
      complaints: Finding[];
    }
  /** The guest ended before it had told everything. */
  | { kind: 'lost'; ending: Ending; complaints: Finding[] }
  /** No guest examined it: too many were lost, the last one for this reason. */
  | { kind: 'none'; because: string };

/** For a parenthesis. */
export function describeEnding(ending: Ending): string {
  const said = 'message' in ending ? ending.message.trim().split('\n')[0] : '';
  return said ? `${ending.kind}: ${said}` : ending.kind;
}
