import type { Finding } from '../findings/finding.js';
import { nodeOf } from '../guest/layers.js';
import { isMarked, markedBytes, poisonText } from '../guest/poison.js';
import { eventsOf } from '../record/events.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { plural } from '../words.js';
import { type Decision, isSerious } from './decision.js';
import { isGuestsOwnFault } from './ending.js';

/** Judges units whose TEST_DEV is poisoned (`--poison`). */

type Poisoned = Pick<Expectation, 'poison' | 'userTest' | 'session'>;

/** Why the unit was not poisoned as requested; undefined if it was, or no test ran. */
export function poisonMissing(record: UnitRecord, { poison = [] }: Poisoned): string | undefined {
  if (eventsOf(record, 'test').length === 0) return undefined;
  const [before] = eventsOf(record, 'poison').filter(({ when }) => when === 'before');
  const missing = poison.find((range) => !isMarked(before?.marks ?? '', range));
  return missing && `the kernel did not list the poison at ${poisonText(missing)} on TEST_DEV`;
}

/** The kernel's findings. Its errors of reading and writing a poisoned TEST_DEV are notices. */
export function withPoison(record: UnitRecord, { poison }: Poisoned): Finding[] {
  if (!poison) return record.kernelFindings;
  const [begin] = eventsOf(record, 'begin');
  const test = nodeOf(begin?.testDevice ?? record.ready?.testDevice ?? '');
  return record.kernelFindings.map((finding): Finding => {
    const { kind, device } = finding;
    // A journal's thread has a name of its own: pmem0-8 belongs to pmem0.
    const provoked =
      (kind === 'io-error' || kind === 'fs-error') && device?.replace(/-\d+$/, '') === test;
    return provoked ? { ...finding, severity: 'notice', provoked: PROVOKED } : finding;
  });
}

const PROVOKED = 'bytes of TEST_DEV are poisoned (--poison)';

/**
 * No verdict on a poisoned device hides the poison. The kernel may fail any access to it, so a bundled
 * test that fails, or damage that a check finds, says nothing about a bug. What the kernel itself
 * complains of does. Tests of the user's know what they do.
 */
export function decidedWithPoison(
  record: UnitRecord,
  decision: Decision,
  findings: readonly Finding[],
  { poison, userTest, session }: Poisoned,
): Decision {
  if (!poison || eventsOf(record, 'poison').length === 0) return decision;
  const reports = findings.filter(({ provoked }) => provoked === PROVOKED).length;
  const met =
    reports === 0
      ? 'the kernel reported no error of it'
      : `the kernel reported ${plural(reports, 'error')} of it`;
  const where = `TEST_DEV was poisoned at ${poison.map(poisonText).join(', ')}, and ${met}`;
  const reason = `${decision.reason}; ${where}${cleared(record, poison)}`;
  if (decision.verdict !== 'fail') return { ...decision, reason };
  const serious = findings.filter(isSerious);
  const kernels = serious.some(({ tool }) => tool === 'kernel');
  const owns = serious.length === 0 && (userTest === true || session !== undefined);
  if (kernels || owns || isGuestsOwnFault(record.ending)) return { ...decision, reason };
  return { ...decision, verdict: 'error', reason: `${reason}; that may be why` };
}

/** What writes did to the poison: with some devices a write clears it. */
function cleared(record: UnitRecord, poison: NonNullable<Poisoned['poison']>): string {
  const looks = eventsOf(record, 'poison');
  const [before, after] = (['before', 'after'] as const).map((when) => {
    const marks = looks.findLast((look) => look.when === when)?.marks;
    return marks && poison.map((range) => markedBytes(marks, range)).reduce((a, b) => a + b, 0);
  });
  if (looks.every(({ when }) => when !== 'after')) return '';
  const bytes = (before || 0) - (after || 0);
  return bytes > 0 ? `; writes cleared ${bytes} bytes of the poison` : '';
}
