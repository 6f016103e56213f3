import { escapeForTerminal } from '../findings/escape.js';
import type { CodePlace, CutFacts, Finding, InodeFacts, Severity } from '../findings/finding.js';
import type { OmittedFindings } from '../findings/fsck-report.js';
import { plural } from '../words.js';
import { describeInode } from './inodes.js';

/** Findings as text: one of each kind, their number, and what they share. */

export interface FindingGroup {
  signature: string;
  /** The first of them. */
  finding: Finding;
  count: number;
  /** The inodes of all of them, each once, in order of appearance. */
  inodes: number[];
  /** What the medium shows about these inodes, as far as it was examined. */
  evidence: InodeFacts[];
}

const SEVERITIES: readonly Severity[] = ['corruption', 'repairable', 'notice'];
/** Inode numbers listed in a line. */
const MOST_INODES = 6;
const MOST_SHARED = 3;
/** Inodes described per kind. */
const MOST_EVIDENCE = 3;
/** Characters shown of a message: a list of blocks can be long. The rest is in the log. */
const LONGEST_MESSAGE = 300;

/**
 * Groups by signature: the worst first, else in order of appearance.
 *
 * @param omitted findings that are counted but not listed
 */
export function groupFindings(
  findings: readonly Finding[],
  omitted: readonly OmittedFindings[] = [],
): FindingGroup[] {
  const groups = new Map<string, FindingGroup & { seen: Map<number, InodeFacts | undefined> }>();
  for (const finding of findings) {
    const { signature, inode, evidence } = finding;
    let group = groups.get(signature);
    if (!group) {
      group = { signature, finding, count: 0, inodes: [], evidence: [], seen: new Map() };
      groups.set(signature, group);
    }
    group.count += 1;
    if (inode !== undefined && !group.seen.get(inode)) group.seen.set(inode, evidence);
  }
  for (const { signature, count } of omitted) {
    const group = groups.get(signature);
    if (group) group.count += count;
  }
  return [...groups.values()]
    .map(({ seen, ...group }) => ({
      ...group,
      inodes: [...seen.keys()],
      evidence: [...seen.values()].filter((facts) => facts !== undefined),
    }))
    .sort((a, b) => rank(a.finding) - rank(b.finding));
}

function rank({ severity }: Finding): number {
  return SEVERITIES.indexOf(severity);
}

/** `e2fsck /dev/pmem0 pass 2 (corruption): Directory inode 12, …` */
export function describeFirst(finding: Finding): string {
  const { tool, device, pass, message, severity, provoked } = finding;
  const step = tool === 'xfs_repair' ? 'phase' : 'pass';
  const where = [device, pass === undefined ? undefined : `${step} ${pass}`]
    .filter(Boolean)
    .join(' ');
  const text =
    message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
  const cause = provoked === undefined ? '' : `, provoked by the test: ${provoked}`;
  return escapeForTerminal(`${tool}${where ? ` ${where}` : ''} (${severity}${cause}): ${text}`);
}

/** `and 3 more like it; inodes 12, 13 and 14 in total`; undefined if it is the only one. */
export function describeOthers({ count, inodes }: FindingGroup): string | undefined {
  if (count < 2) return undefined;
  const places = inodes.length > 1 ? `; inodes ${listed(inodes)} in total` : '';
  return `and ${count - 1} more like it${places}`;
}

/** What the medium shows about the first inodes, a sentence for each; for power cuts, who stored the lost data. */
export function describeEvidence({
  finding,
  evidence,
}: Pick<FindingGroup, 'finding' | 'evidence'>): string[] {
  return [
    ...(finding.powerCut ? describeCut(finding.powerCut) : []),
    ...evidence.slice(0, MOST_EVIDENCE).map(describeInode),
  ];
}

/** The code that stored the lost data, and the first cut that shows the loss. */
function describeCut({ storedBy, writtenBackBy, cut, state, images }: CutFacts): string[] {
  // A request of the guest's driver has no single storing function.
  const last =
    writtenBackBy === undefined
      ? ''
      : writtenBackBy === null
        ? '; it was never written back'
        : `; last written back by ${describeCode(writtenBackBy)}`;
  const stored = storedBy ? [`stored by ${describeCode(storedBy)}${last}`] : [];
  const what = `${STATES[state] ?? 'some'} of the unflushed data survived`;
  const seen = `in ${plural(images, 'image')}, first at cut ${cut}, where ${what}`;
  return [...stored, seen].map(escapeForTerminal);
}

const STATES: Record<string, string> = { nothing: 'none', everything: 'all' };

/** `store_bytes in promises (0x401a38, CPU 0)` */
function describeCode({ function: name, in: program, address, cpu }: CodePlace): string {
  const where = program === 'kernel' ? 'the kernel' : program;
  return `${name ?? 'an unnamed function'} in ${where} (${address}, CPU ${cpu})`;
}

/** Inodes that several kinds share: `inode 12 (directory /d) appears in 3 of these kinds`. */
export function describeShared(groups: readonly FindingGroup[]): string[] {
  const kinds = new Map<number, number>();
  for (const inode of groups.flatMap(({ inodes }) => inodes)) {
    kinds.set(inode, (kinds.get(inode) ?? 0) + 1);
  }
  const shared = [...kinds].filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1]);
  const lines = shared
    .slice(0, MOST_SHARED)
    .map(
      ([inode, count]) =>
        `inode ${inode}${known(inode, groups)} appears in ${count} of these kinds`,
    );
  const more = shared.length - lines.length;
  return more > 0 ? [...lines, `and ${plural(more, 'more inode')} in several kinds`] : lines;
}

/** The type and path of an inode, from any finding. */
function known(inode: number, groups: readonly FindingGroup[]): string {
  const findings = groups.map(({ finding }) => finding).filter((one) => one.inode === inode);
  const type = findings.find(({ inodeType }) => inodeType !== undefined)?.inodeType;
  const path = findings.find((one) => one.path !== undefined)?.path;
  const words = [type, path].filter((word) => word !== undefined).join(' ');
  return words === '' ? '' : ` (${escapeForTerminal(words)})`;
}

function listed(inodes: readonly number[]): string {
  if (inodes.length > MOST_INODES) {
    const shown = inodes.slice(0, MOST_INODES - 1).join(', ');
    return `${shown} and ${inodes.length - MOST_INODES + 1} others`;
  }
  return `${inodes.slice(0, -1).join(', ')} and ${inodes.at(-1)}`;
}

/** `and 9 more findings of 2 other kinds` */
export function describeRest(groups: readonly FindingGroup[]): string {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  return `and ${plural(count, 'more finding')} of ${plural(groups.length, 'other kind')}`;
}
