import type { BlockFacts, Finding, InodeFacts } from '../findings/finding.js';
import type { InodeEvent } from '../guest/protocol.js';
import { inodeTypeOf } from '../record/inode-type.js';
import type { UnitRecord } from '../record/record.js';
import type { Unwritten } from './unwritten.js';

/** The guest examines at most 32 inodes per check. */
const MOST_INODES = 200;

/** The first record of each inode: later checks come after repairs. */
export function inodeFacts(record: UnitRecord, unwritten: Unwritten | undefined): InodeFacts[] {
  const facts = new Map<string, InodeFacts>();
  for (const event of record.events) {
    if (event.event !== 'inode' || !Number.isSafeInteger(event.inode)) continue;
    const key = `${event.device} ${event.inode}`;
    if (facts.has(key) || facts.size >= MOST_INODES) continue;
    const read = readFacts(event, event.inode as number);
    facts.set(key, read.path === undefined ? { ...read, ...nameInKernel(read, unwritten) } : read);
  }
  return [...facts.values()];
}

function readFacts(event: InodeEvent, inode: number): InodeFacts {
  const { device, mode, size, links, flags, blockMap, path } = event;
  const inodeType = inodeTypeOf(Number.parseInt(mode || '0', 8));
  const block = blockFacts(event);
  return {
    device,
    inode,
    ...(inodeType === 'unknown' ? {} : { inodeType }),
    ...(mode === '' ? {} : { mode }),
    ...(size === undefined ? {} : { size }),
    ...(links === undefined ? {} : { links }),
    ...(flags === '' ? {} : { flags }),
    ...(blockMap === '' ? {} : { blockMap }),
    ...(path === '' ? {} : { path, pathFrom: 'medium' as const }),
    ...(block ? { block } : {}),
  };
}

function blockFacts({ block, position, zeros, bytes }: InodeEvent): BlockFacts | undefined {
  if (block === undefined || position === undefined || zeros === '') return undefined;
  return { number: block, position, zeros: zeros === 'yes', begins: bytes };
}

function nameInKernel(
  { device, inode }: InodeFacts,
  unwritten: Unwritten | undefined,
): Pick<InodeFacts, 'path' | 'pathFrom'> {
  if (!unwritten?.known) return {};
  const path = unwritten.inodes.find(
    (one) => one.inode === inode && nodeOf(one.device) === nodeOf(device),
  )?.path;
  return path === undefined ? {} : { path, pathFrom: 'kernel' };
}

function nodeOf(device: string): string {
  return device.slice(device.lastIndexOf('/') + 1);
}

/** The findings; those about an inode show what the medium has of it. */
export function withEvidence(
  findings: readonly Finding[],
  facts: readonly InodeFacts[],
): Finding[] {
  if (facts.length === 0) return [...findings];
  return findings.map((finding) => {
    const { inode, device, path } = finding;
    const found = facts.find(
      (one) =>
        one.inode === inode && (device === undefined || nodeOf(device) === nodeOf(one.device)),
    );
    if (!found) return finding;
    const named =
      found.path === undefined && path !== undefined
        ? { ...found, path, pathFrom: 'check' as const }
        : found;
    return { ...finding, evidence: named };
  });
}
