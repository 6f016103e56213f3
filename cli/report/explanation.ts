import { type ExplainedTrace, type Explanation, tracedInode } from '../evidence/explanation.js';
import type { UnwrittenInode } from '../evidence/unwritten.js';
import type { Occurrences, TracedInode } from '../evidence/write-back.js';
import { escapeForTerminal } from '../findings/escape.js';
import { plural } from './text.js';
import { shortenPath, typeInWords } from './unwritten.js';

/** What running a failing unit again has shown (`--explain`), in sentences without the full stop. */

/** Inodes that have a line. */
const MOST_INODES = 8;
/** The kernel's numbers of errors that write-back gives (errno(3)). */
const ERRORS: Readonly<Record<number, string>> = { 5: 'EIO', 12: 'ENOMEM', 28: 'ENOSPC' };

/** Escaped: programs' names and paths come from a guest. */
export function describeExplanation(explanation: Explanation | undefined): string[] {
  if (!explanation) return [];
  if (!explanation.ran) return [escapeForTerminal(`not run again: ${explanation.reason}`)];
  const { trace, unwritten, artifacts } = explanation;
  const inodes = unwritten?.known ? unwritten.inodes : [];
  const shown = trace.known ? inodes.slice(0, MOST_INODES) : [];
  const more = trace.known ? inodes.length - shown.length : 0;
  const file = artifacts['write-back'];
  return [
    `run again with write-back traced: ${describeAgreement(explanation)}`,
    ...(trace.known ? [] : [`write-back could not be traced: ${trace.reason}`]),
    ...shown.map((inode) => describeInode(inode, tracedInode(trace, inode), trace)),
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

/**
 * `inode 2 (directory /): page dirtied 3 times, last by ln at 11.40 s; write-back called 2 times, last by
 * umount at 12.02 s; it wrote 0 pages; ->writepages called 2 times, returned 0; DAX write-back not run`
 */
function describeInode(
  { inode, inodeType, path, dropped }: UnwrittenInode,
  traced: TracedInode | undefined,
  trace: ExplainedTrace,
): string {
  const name = path === undefined ? '' : ` ${shortenPath(path)}`;
  const left = [
    dropped.dirtyPages > 0 ? plural(dropped.dirtyPages, 'page') : undefined,
    dropped.dirtyDaxEntries > 0
      ? `${dropped.dirtyDaxEntries} DAX ${dropped.dirtyDaxEntries === 1 ? 'entry' : 'entries'}`
      : undefined,
  ].filter(Boolean);
  const told = traced ? describeTraced(traced).join('; ') : 'the trace has nothing of it';
  const lost = traced?.marked.times && trace.known && trace.lost > 0 ? 'at least ' : '';
  return `inode ${inode} (${typeInWords(inodeType)}${name}), left with ${left.join(' and ')} dirty: ${lost}${told}`;
}

function describeTraced(traced: TracedInode): string[] {
  const { pagesDirtied, marked, writeBacks, pagesWritten, writepages, daxWriteBacks } = traced;
  return [
    pagesDirtied.times > 0
      ? `pages dirtied ${happened(pagesDirtied)}`
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
function happened({ times, last, program }: Occurrences): string {
  const at = last === undefined ? '' : ` at ${last.toFixed(2)} s`;
  const often = times === 1 ? 'once,' : `${times} times, last`;
  return `${often} by ${program}${at}`;
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
