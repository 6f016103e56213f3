import { type ExplainedTrace, type Explanation, tracedInode } from '../evidence/explanation.js';
import type { UnwrittenInode } from '../evidence/unwritten.js';
import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { Occurrence, Occurrences, TracedInode } from '../record/write-back.js';
import { plural } from '../words.js';
import { shortenPath, typeInWords } from './unwritten.js';

/** The results of `--explain`, which runs a failing unit again, as sentences without the full stop. */

/** Lines about inodes, and further inodes that one line names. */
const MOST_LINES = 8;
const MOST_NAMED = 5;
/** Error numbers of write-back (errno(3)). */
const ERRORS: Readonly<Record<number, string>> = { 5: 'EIO', 12: 'ENOMEM', 28: 'ENOSPC' };

/** Escaped, since names of programs and paths come from a guest. */
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
    `second run, with write-back tracing: ${describeAgreement(explanation)}`,
    ...(trace.known ? [] : [`write-back could not be traced: ${trace.reason}`]),
    ...shown.map((group) => describeGroup(group, trace)),
    ...(more > 0 ? [`and ${plural(more, 'more inode')}`] : []),
    ...describeGaps(trace),
    ...(file === undefined ? [] : [`trace: ${file}`]),
  ].map(escapeForTerminal);
}

/** Whether the second run failed like the first. */
function describeAgreement(explanation: Extract<Explanation, { ran: true }>): string {
  const { verdict, reason, signatures } = explanation;
  const { again, gone, added } = signatures;
  const before = again.length + gone.length;
  if (verdict !== 'fail') {
    const without = before === 0 ? '' : `, with none of the ${plural(before, 'kind')} of findings`;
    return verdict === 'pass'
      ? `the test passed this time${without}`
      : `no verdict this time: ${verdict}, ${reason}`;
  }
  if (before + added.length === 0) return 'the test failed again, again without findings';
  if (gone.length + added.length === 0) {
    return `the test failed again, with the same ${before === 1 ? 'kind of finding' : kindsOfFindings(before)}`;
  }
  const parts = [
    `${again.length} of ${kindsOfFindings(before)} showed again`,
    added.length > 0 ? `${added.length} new: ${added.join(', ')}` : undefined,
    gone.length > 0 ? `missing: ${gone.join(', ')}` : undefined,
  ];
  return `the test failed again, but differently: ${parts.filter(Boolean).join('; ')}`;
}

function kindsOfFindings(count: number): string {
  return count === 1 ? '1 kind of finding' : `${count} kinds of findings`;
}

/** Groups inodes whose descriptions differ only in times. */
function groupInodes(inodes: readonly UnwrittenInode[], trace: ExplainedTrace): UnwrittenInode[][] {
  const groups = groupBy(inodes, (one) => {
    const traced = tracedInode(trace, one);
    const told = traced ? describeTraced(traced).join() : '';
    return `${one.device} ${one.inodeType} ${leftDirty(one)} ${told.replace(/ at [\d.]+ s/g, '')}`;
  });
  return [...groups.values()];
}

/**
 * `inode 2 (directory /): 1 page still dirty; pages dirtied 3 times, last by ln at 11.40 s; write-back
 * called 2 times, last by umount at 12.02 s, and wrote 0 pages; ->writepages called 2 times, last by umount
 * at 12.02 s, and returned 0`
 */
function describeGroup(group: readonly UnwrittenInode[], trace: ExplainedTrace): string {
  const [first, ...others] = group as [UnwrittenInode, ...UnwrittenInode[]];
  const { inode, inodeType, path } = first;
  const name = path === undefined ? '' : ` ${shortenPath(path)}`;
  const traced = tracedInode(trace, first);
  const partial = trace.known && trace.lost > 0;
  const told = traced ? describeTraced(traced, partial).join('; ') : 'not in the trace';
  return `inode ${inode} (${typeInWords(inodeType)}${name})${describeLike(others)}: ${leftDirty(first)} still dirty; ${told}`;
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

/** @param partial whether the trace lost events, so that counts are lower limits */
function describeTraced(traced: TracedInode, partial = false): string[] {
  const { pagesDirtied, marked, writeBacks, pagesWritten, writepages, daxWriteBacks } = traced;
  // With a journal, the journal's thread dirties the pages.
  const marker =
    !marked.first || marked.first.program === pagesDirtied.first?.program
      ? ''
      : `, the inode first marked dirty ${byWhom(marked.first)}`;
  return [
    pagesDirtied.times > 0
      ? `pages dirtied ${happened(pagesDirtied, partial)}${marker}`
      : marked.times > 0
        ? `marked dirty ${happened(marked, partial)}`
        : 'the trace does not show what dirtied it',
    writeBacks.times > 0
      ? `write-back called ${happened(writeBacks)}, and wrote ${plural(pagesWritten, 'page')}`
      : 'write-back was never called',
    ...(writepages ? [`->writepages ${describeWritepages(writepages)}`] : []),
    ...(daxWriteBacks?.times ? [`DAX write-back ran ${happened(daxWriteBacks)}`] : []),
  ];
}

function describeWritepages(writepages: NonNullable<TracedInode['writepages']>): string {
  if (writepages.times === 0) return 'was never called';
  const results = writepages.results.map((result) =>
    result < 0 ? `-${ERRORS[-result] ?? -result}` : String(result),
  );
  const returned = results.length === 0 ? '' : `, and returned ${results.join(' and ')}`;
  return `called ${happened(writepages)}${returned}`;
}

/** `3 times, last by ln at 11.40 s`, in seconds since the guest's boot. */
function happened({ times, last }: Occurrences, partial = false): string {
  const often = times === 1 ? 'once,' : `${times} times, last`;
  return `${partial ? 'at least ' : ''}${often} ${byWhom(last)}`;
}

function byWhom(occurrence: Occurrence | undefined): string {
  if (!occurrence) return 'by an unknown program';
  return `by ${occurrence.program} at ${occurrence.seconds.toFixed(2)} s`;
}

/** What the trace lacks. */
function describeGaps(trace: ExplainedTrace): string[] {
  if (!trace.known) return [];
  return [
    ...(trace.without.length > 0 ? [`this kernel cannot trace ${trace.without.join(', ')}`] : []),
    ...(trace.lost > 0
      ? [`the trace is incomplete: ${plural(trace.lost, 'event')} did not fit`]
      : []),
  ];
}
