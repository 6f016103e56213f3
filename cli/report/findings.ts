import { escapeForTerminal } from '../findings/escape.js';
import type { CodePlace, CutFacts, Finding, InodeFacts, Severity } from '../findings/finding.js';
import type { OmittedFindings } from '../findings/fsck-report.js';
import { plural } from '../words.js';
import { describeInode } from './inodes.js';

/** Findings as people read them: one of each kind, how many there are, and what they share. */

export interface FindingGroup {
  signature: string;
  /** The first of them. */
  finding: Finding;
  count: number;
  /** Of all of them, in the order they came, each once. */
  inodes: number[];
  /** What the medium shows of these, as far as it was looked at. */
  evidence: InodeFacts[];
}

const SEVERITIES: readonly Severity[] = ['corruption', 'repairable', 'notice'];
/** Numbers that a line lists. */
const MOST_INODES = 6;
const MOST_SHARED = 3;
/** Inodes of a kind that are described. */
const MOST_EVIDENCE = 3;
/** Characters of a message. A list of blocks is as long as it takes; the rest of it is in the log. */
const LONGEST_MESSAGE = 300;

/**
 * Groups by signature; the worst first, else in the order they came.
 *
 * @param omitted those that are counted and not listed
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

/** The others of its kind: `and 3 more like it, in inodes 12, 13 and 14`; nothing where it is alone. */
export function describeOthers({ count, inodes }: FindingGroup): string | undefined {
  if (count < 2) return undefined;
  const places = inodes.length > 1 ? `; in all of inodes ${listed(inodes)}` : '';
  return `and ${count - 1} more like it${places}`;
}

/** What the medium shows of a kind's inodes, a sentence for each of the first; and who lost what. */
export function describeEvidence({
  finding,
  evidence,
}: Pick<FindingGroup, 'finding' | 'evidence'>): string[] {
  return [
    ...(finding.powerCut ? describeCut(finding.powerCut) : []),
    ...evidence.slice(0, MOST_EVIDENCE).map(describeInode),
  ];
}

/** Who stored what a cut lost, and when it was seen. */
function describeCut({ storedBy, writtenBackBy, cut, state, images }: CutFacts): string[] {
  // Where requests do it, nobody in particular did.
  const last =
    writtenBackBy === undefined
      ? ''
      : writtenBackBy === null
        ? '; it was never written back'
        : `; its last write-back is by ${describeCode(writtenBackBy)}`;
  const stored = storedBy ? [`stored by ${describeCode(storedBy)}${last}`] : [];
  const what = `${STATES[state] ?? 'some'} of what was not flushed survived`;
  const seen = `in ${plural(images, 'image')}, first at cut ${cut}, where ${what}`;
  return [...stored, seen].map(escapeForTerminal);
}

const STATES: Record<string, string> = { nothing: 'nothing', everything: 'all' };

/** `store_bytes of promises (0x401a38, CPU 0)` */
function describeCode({ function: name, in: program, address, cpu }: CodePlace): string {
  const where = program === 'kernel' ? 'the kernel' : program;
  return `${name ?? 'a function without a name'} of ${where} (${address}, CPU ${cpu})`;
}

/** What several kinds have in common: `inode 12 (directory /d) is in 3 of these kinds`. */
export function describeShared(groups: readonly FindingGroup[]): string[] {
  const kinds = new Map<number, number>();
  for (const inode of groups.flatMap(({ inodes }) => inodes)) {
    kinds.set(inode, (kinds.get(inode) ?? 0) + 1);
  }
  const shared = [...kinds].filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1]);
  const lines = shared
    .slice(0, MOST_SHARED)
    .map(([inode, count]) => `inode ${inode}${known(inode, groups)} is in ${count} of these kinds`);
  const more = shared.length - lines.length;
  return more > 0 ? [...lines, `and so ${more === 1 ? 'is' : 'are'} ${more} more`] : lines;
}

/** What some finding says of an inode. */
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

/** `9 more of 2 other kinds` */
export function describeRest(groups: readonly FindingGroup[]): string {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  return `and ${count} more of ${plural(groups.length, 'other kind')}`;
}
