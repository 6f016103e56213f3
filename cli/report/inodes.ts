import { escapeForTerminal } from '../findings/escape.js';
import type { InodeFacts } from '../findings/finding.js';
import { shortenPath, typeInWords } from './unwritten.js';

/**
 * What the medium shows about an inode, as a sentence without the full stop:
 * `inode 155649 is directory /tmp: block 0 is all zeros on the medium`. Escaped.
 */
export function describeInode(facts: InodeFacts): string {
  const { inode, inodeType, path, pathFrom } = facts;
  const type = inodeType === undefined ? 'of unknown type' : typeInWords(inodeType);
  const name = path === undefined ? '' : ` ${shortenPath(path)}`;
  const rest = [
    describeBlock(facts),
    pathFrom === 'kernel'
      ? 'the kernel knew it by this name, but no directory on the medium contains it'
      : undefined,
    path === undefined ? 'no directory on the medium contains it' : undefined,
  ].filter((part) => part !== undefined);
  return escapeForTerminal(`inode ${inode} is ${type}${name}: ${rest.join('; ')}`);
}

function describeBlock({ block, size, blockMap }: InodeFacts): string {
  if (block?.zeros) return `block ${block.number} is all zeros on the medium`;
  if (block)
    return `block ${block.number}, at byte ${block.position} of the medium, is not all zeros`;
  if (blockMap === undefined) return size === 0 ? 'it is empty' : 'it has no blocks of its own';
  return 'the block is not mapped';
}
