import { daxMessages } from '../findings/kernel-log.js';
import { eventsOf } from '../record/events.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { type DaxState, STATX_SILENT } from './dax-proof.js';
import { firstLine, quote } from './decision.js';

/** How the guest differs from the request: kernel, module, driver, DAX. */

/** undefined if it is what was requested. */
export function mismatchWithRequest(
  record: Pick<UnitRecord, 'ready' | 'events'>,
  states: readonly DaxState[],
  expected: Expectation,
): string | undefined {
  // A clone sent its `ready` before it was saved, and its `begin` after it was restored.
  const said = [record.ready, ...eventsOf(record, 'begin')];
  const other = said.find((event) => event && event.release !== expected.release);
  if (other) return `the guest runs kernel ${other.release}, not ${expected.release}`;
  const module = eventsOf(record, 'module')[0];
  if (module && expected.module?.sent && module.sha256 !== expected.module.sha256) {
    return `the guest loaded a different ${expected.fs} module from the one it was sent`;
  }
  if (!module && expected.module?.sent && states.length > 0) {
    return `the guest did not load the ${expected.fs} module that it was sent`;
  }
  const refused = eventsOf(record, 'mount-failed')[0];
  if (refused) {
    const complaint = whyNotMounted(refused.kernelLog);
    const why = complaint ? quote(complaint) : firstLine(refused.message, 'mount gave no reason');
    return `${expected.fs} was not mounted: ${why}`;
  }
  const disproof = states.find((state) => state.problems.length > 0 && !mayBeDamage(state));
  return disproof && describeDisproof(disproof);
}

/**
 * Whether the test may have damaged the file system so much that it cannot be mounted again, or that no
 * file can be made in it. That is decided with the findings.
 */
function mayBeDamage({ when, mounted, problems }: DaxState): boolean {
  if (when !== 'after') return false;
  return !mounted || problems.every((problem) => problem === STATX_SILENT);
}

/** Messages that the kernel prints when all is well explain nothing. */
const CONTENT = /DAX enabled|EXPERIMENTAL/;

/** The kernel's message about DAX, or else its last one since the mount began. */
function whyNotMounted(kernelLog: string): string | undefined {
  const lines = kernelLog.split('\n');
  const since = lines.slice(lines.findLastIndex((line) => /daxrepro: mount$/.test(line)) + 1);
  const plain = since
    .map((line) => line.replace(/^(<\d+>)?\[[^\]]*\] /, '').trim())
    .filter(Boolean);
  const complaints = [plain, daxMessages(since)].map((all) =>
    all.findLast((line) => !CONTENT.test(line)),
  );
  return complaints[1] ?? complaints[0];
}

export function describeGap({ when, gaps }: DaxState): string {
  return `${WHEN[when]}: ${gaps.join('; ')}`;
}

export function describeDisproof(disproof: DaxState): string {
  const said = disproof.messages.findLast((message) => !CONTENT.test(message));
  return [
    `${WHEN[disproof.when]}: ${disproof.problems.join('; ')}`,
    said ? `; the kernel says ${quote(said)}` : '',
  ].join('');
}

const WHEN = {
  before: 'before the test',
  remount: 'at a remount within the test',
  scratch: 'on SCRATCH_DEV',
  after: 'after the test',
} as const;
