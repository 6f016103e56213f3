import { type ExplainedTrace, type Explanation, tracedInode } from '../evidence/explanation.js';
import type { UnwrittenInode } from '../evidence/unwritten.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { Occurrence, Occurrences, TracedInode } from '../record/write-back.js';
import { plural } from '../words.js';
import { shortenPath, typeInWords } from './unwritten.js';

/** What running a failing unit again has shown (`--explain`), in sentences without the full stop. */

/** Lines about inodes, and those that a line names beside its first. */
const MOST_LINES = 8;
const MOST_NAMED = 5;
/** The kernel's numbers of errors that write-back gives (errno(3)). */
const ERRORS: Readonly<Record<number, string>> = { 5: 'EIO', 12: 'ENOMEM', 28: 'ENOSPC' };

/** Escaped: programs' names and paths come from a guest. */
export function describeExplanation(explanation: Explanation | undefined): string[] {
  if (!explanation) return [];
  if (!explanation.ran) return [escapeForTerminal(`not run again: ${explanation.reason}`)];
  const { trace, unwritten, artifacts } = explanation;
  const inodes = unwritten?.known ? unwritten.inodes : [];
  const groups = trace.known ? groupInodes(inodes, trace) : [];
  const shown = groups.slice(0, MOST_LINES);
  const more = groups.slice(MOST_LINES).flat().length;
  const file = artifacts['write-back'];
  return [
    `run again with write-back traced: ${describeAgreement(explanation)}`,
    ...(trace.known ? [] : [`write-back could not be traced: ${trace.reason}`]),
    ...shown.map((group) => describeGroup(group, trace)),
    ...(more > 0 ? [`and ${plural(more, 'more inode')}`] : []),
    ...describeGaps(trace),
    ...(file === undefined ? [] : [`the trace: ${file}`]),
  ].map(escapeForTerminal);
}

/** Whether the second run says what the first one said. */
function describeAgreement(explanation: Extract<Explanation, { ran: true }>): string {
  const { verdict, reason, signatures } = explanation;
  const { again, gone, added } = signatures;
  const before = again.length + gone.length;
  if (verdict !== 'fail') {
    const kinds = before === 0 ? '' : `, with none of the ${plural(before, 'kind')} of finding`;
    return verdict === 'pass'
      ? `it did not show again: passed${kinds}`
      : `it cannot be told whether it shows again: ${verdict}, ${reason}`;
  }
  if (before + added.length === 0) return 'it failed again, and again without a finding of a check';
  if (gone.length + added.length === 0) {
    return `it failed again, with the same ${before === 1 ? 'kind' : `${before} kinds`} of finding`;
  }
  const parts = [
    `${again.length} of ${plural(before, 'kind')} of finding ${again.length === 1 ? 'is' : 'are'} there again`,
    added.length > 0 ? `${added.length} new: ${added.join(', ')}` : undefined,
    gone.length > 0 ? `gone: ${gone.join(', ')}` : undefined,
  ];
  return `it failed again, otherwise: ${parts.filter(Boolean).join('; ')}`;
}

/** Inodes of which the same is to be said, but for the time. */
function groupInodes(inodes: readonly UnwrittenInode[], trace: ExplainedTrace): UnwrittenInode[][] {
  const groups = groupBy(inodes, (one) => {
    const traced = tracedInode(trace, one);
    const told = traced ? describeTraced(traced).join() : '';
    return `${one.device} ${one.inodeType} ${leftDirty(one)} ${told.replace(/ at [\d.]+ s/g, '')}`;
  });
  return [...groups.values()];
}

/**
 * `inode 2 (directory /), left with 1 page dirty: pages dirtied 3 times, last by ln at 11.40 s; write-back
 * called 2 times, last by umount at 12.02 s, wrote 0 pages; ->writepages called 2 times, last by umount at
 * 12.02 s, which returned 0`
 */
function describeGroup(group: readonly UnwrittenInode[], trace: ExplainedTrace): string {
  const [first, ...others] = group as [UnwrittenInode, ...UnwrittenInode[]];
  const { inode, inodeType, path } = first;
  const name = path === undefined ? '' : ` ${shortenPath(path)}`;
  const traced = tracedInode(trace, first);
  const told = traced ? describeTraced(traced).join('; ') : 'the trace has nothing of it';
  const lost = traced?.marked.times && trace.known && trace.lost > 0 ? 'at least ' : '';
  return `inode ${inode} (${typeInWords(inodeType)}${name})${describeLike(others)}, left with ${leftDirty(first)} dirty: ${lost}${told}`;
}

/** ` and 3 more like it (19, 20 and 21)` */
function describeLike(others: readonly UnwrittenInode[]): string {
  if (others.length === 0) return '';
  const named = others.slice(0, MOST_NAMED).map(({ inode }) => inode);
  const rest = others.length > named.length ? ', …' : '';
  return ` and ${others.length} more like it (${named.join(', ')}${rest})`;
}

function leftDirty({ dropped: { dirtyPages, dirtyDaxEntries: entries } }: UnwrittenInode): string {
  return [
    ...(dirtyPages > 0 ? [plural(dirtyPages, 'page')] : []),
    ...(entries > 0 ? [`${entries} DAX ${entries === 1 ? 'entry' : 'entries'}`] : []),
  ].join(' and ');
}

function describeTraced(traced: TracedInode): string[] {
  const { pagesDirtied, marked, writeBacks, pagesWritten, writepages, daxWriteBacks } = traced;
  // With a journal it is the journal's thread that dirties pages.
  const marker =
    !marked.first || marked.first.program === pagesDirtied.first?.program
      ? ''
      : `, the inode first ${byWhom(marked.first)}`;
  return [
    pagesDirtied.times > 0
      ? `pages dirtied ${happened(pagesDirtied)}${marker}`
      : marked.times > 0
        ? `marked dirty ${happened(marked)}`
        : 'not seen when it was dirtied',
    writeBacks.times > 0
      ? `write-back called ${happened(writeBacks)}, wrote ${plural(pagesWritten, 'page')}`
      : 'write-back never called',
    ...(writepages ? [`->writepages ${describeWritepages(writepages)}`] : []),
    ...(daxWriteBacks?.times ? [`DAX write-back run ${happened(daxWriteBacks)}`] : []),
  ];
}

function describeWritepages(writepages: NonNullable<TracedInode['writepages']>): string {
  if (writepages.times === 0) return 'never called';
  const results = writepages.results.map((result) =>
    result < 0 ? `-${ERRORS[-result] ?? -result}` : String(result),
  );
  const returned = results.length === 0 ? '' : `, which returned ${results.join(' and ')}`;
  return `called ${happened(writepages)}${returned}`;
}

/** `3 times, last by ln at 11.40 s`; seconds are the guest's since its boot. */
function happened({ times, last }: Occurrences): string {
  const often = times === 1 ? 'once,' : `${times} times, last`;
  return `${often} ${byWhom(last)}`;
}

function byWhom(occurrence: Occurrence | undefined): string {
  if (!occurrence) return 'by nobody';
  return `by ${occurrence.program} at ${occurrence.seconds.toFixed(2)} s`;
}

/** What the trace cannot tell. */
function describeGaps(trace: ExplainedTrace): string[] {
  if (!trace.known) return [];
  return [
    ...(trace.without.length > 0 ? [`this kernel does not trace ${trace.without.join(', ')}`] : []),
    ...(trace.lost > 0
      ? [`the trace is not whole: ${plural(trace.lost, 'event')} found no room`]
      : []),
  ];
}
