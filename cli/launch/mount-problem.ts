import type { Finding } from '../findings/finding.js';
import type { GuestEvent } from '../guest/protocol.js';
import type { Unit } from '../plan/unit.js';
import { eventsOf } from '../record/events.js';
import { readProof } from '../verdict/dax-proof.js';
import { describeGap, mismatchWithRequest } from '../verdict/mismatch.js';
import { expectation } from './expectation.js';
import type { Prepared } from './prepared.js';

/** What a guest reports while it mounts a file system and all is well. */
const USUAL: ReadonlySet<GuestEvent['event']> = new Set([
  'begin',
  'file',
  'step',
  'module',
  'proof',
  'mounted',
]);

/**
 * Why units cannot be cloned from a guest that mounted a file system; undefined if they can. The
 * kernel must not have complained: a clone's record does not have what happened before.
 */
export function mountProblem(
  unit: Unit,
  prepared: Prepared,
  events: readonly GuestEvent[],
  findings: readonly Finding[],
): string | undefined {
  const [finding] = findings;
  if (finding) return `the kernel reported ${finding.message}`;
  const record = { events: [...events] };
  const proofs = eventsOf(record, 'proof');
  const expected = expectation(unit, prepared);
  const states = proofs.map((proof) => readProof(proof, expected));
  const wrong = mismatchWithRequest(record, states, expected);
  if (wrong) return wrong;
  const gap = states.find(({ gaps }) => gaps.length > 0);
  if (gap) return describeGap(gap);
  const unusual = events.find(({ event }) => !USUAL.has(event));
  if (unusual) return 'message' in unusual ? unusual.message : `the guest sent ${unusual.event}`;
  const looked = proofs.length === 1 && proofs[0]?.when === 'before';
  const known = expected.module === undefined || eventsOf(record, 'module').length === 1;
  return looked && known ? undefined : 'the guest did not prove that DAX is in use';
}
