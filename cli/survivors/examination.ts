import type { Finding } from '../findings/finding.js';
import type { Ending } from '../guest/guest.js';
import type { SurvivorEvent } from '../guest/protocol.js';

/** The result of giving an image to an examining guest. */
export type Examination =
  | {
      kind: 'told';
      event: SurvivorEvent;
      /** Answers to the questions; guest-scripts/programs/survivor/questions.h has their format. */
      answers: string;
      /** The output of the check. */
      check: string;
      /** The kernel's messages meanwhile. */
      complaints: Finding[];
    }
  /** The guest ended before it had reported everything. */
  | { kind: 'lost'; ending: Ending; complaints: Finding[] }
  /** No guest examined it: too many were lost. `because` says why the last one was. */
  | { kind: 'none'; because: string };

/** For use in parentheses. */
export function describeEnding(ending: Ending): string {
  const said = 'message' in ending ? ending.message.trim().split('\n')[0] : '';
  return said ? `${ending.kind}: ${said}` : ending.kind;
}
