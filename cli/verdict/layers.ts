import { type Layers, targetOf } from '../guest/layers.js';
import type { Layer, ProofEvent } from '../guest/protocol.js';
import type { Expectation } from '../record/record.js';

/**
 * Decides whether the mounted device is what `--partition` and `--stack` ask for, from what the guest's
 * kernel says of it (guest-scripts/lib/layers.pl).
 */
export function layerProblems(
  { device, layers = [] }: ProofEvent,
  { stack, partition, pmem }: Expectation,
): string[] {
  if (!stack && !partition) return [];
  const rest = [...layers];
  const problems: string[] = [];
  if (stack) {
    const top = rest.shift();
    problems.push(...stackProblems(device, top, rest[0], stack));
    if (stack === 'stripe' && problems.length === 0) {
      problems.push(...stripeProblems(device, top, rest.at(-1)));
    }
  }
  // Stripes are on two partitions.
  if (partition || stack === 'stripe') {
    const [part] = rest;
    if (part?.kind === 'partition') rest.shift();
    problems.push(...partitionProblems(device, part));
  }
  const [disk, ...others] = rest;
  const kind = pmem === 'none' ? /^vd/ : /^pmem\d/;
  if (disk?.kind !== 'disk' || !kind.test(disk.node) || others.length > 0) {
    const chain = layers.map(({ node }) => node).join(' on ') || 'nothing that the guest knows';
    problems.push(`${device} does not lie on a device of ${pmem} in the requested way: ${chain}`);
  }
  return problems;
}

function stackProblems(
  device: string,
  top: Layer | undefined,
  below: Layer | undefined,
  stack: NonNullable<Layers['stack']>,
): string[] {
  const target = targetOf(stack);
  const lines = top?.table.split('\n').filter(Boolean) ?? [];
  if (top?.kind !== 'device-mapper' || lines.length === 0) {
    return [`${device} is not a device of device mapper, but --stack ${stack} was requested`];
  }
  const other = lines.find((line) => line.split(' ')[2] !== target);
  if (other !== undefined) {
    return [`${device} is not made of dm-${stack} alone: its table has "${other}"`];
  }
  const misaligned = lines.find((line) => !isAligned(line));
  if (misaligned !== undefined) {
    return [`${device} begins in the middle of a page of the device below it: "${misaligned}"`];
  }
  const devices = lines.map((line) => /\b\d+:\d+\b/.exec(line)?.[0]);
  return below !== undefined && devices.every((number) => number === below.number)
    ? []
    : [`${device} is not on ${below?.node ?? 'a known device'} alone: its table has "${lines[0]}"`];
}

/** Its stripes have to be on two partitions of one disk, of whole pages. */
function stripeProblems(device: string, top: Layer | undefined, disk: Layer | undefined): string[] {
  const parts = new Map(
    (top?.below ?? '').split(' ').map((part) => {
      const [node = '', start] = part.split('@');
      return [node, Number(start)];
    }),
  );
  const sound = [...parts].every(
    ([node, start]) =>
      disk?.kind === 'disk' &&
      /^p?\d+$/.test(node.slice(disk.node.length)) &&
      node.startsWith(disk.node) &&
      start > 0 &&
      start % PAGE_SECTORS === 0,
  );
  return parts.size === 2 && sound
    ? []
    : [`${device} is not on two partitions of one device: ${top?.below || 'they are not known'}`];
}

/** Whether each segment begins at a page, of the device and of those below. */
function isAligned(line: string): boolean {
  const [start, , target, ...words] = line.split(' ');
  const sectors = target === 'linear' ? [words[1]] : target === 'striped' ? stripes(words) : [];
  return [start, ...sectors].every((sector) => Number(sector) % PAGE_SECTORS === 0);
}

/** `2 128 259:0 0 259:0 262144`: the size of the stripes, and where each device's begin. */
function stripes([, size, ...devices]: readonly string[]): (string | undefined)[] {
  return [size, ...devices.filter((_, index) => index % 2 === 1)];
}

function partitionProblems(device: string, part: Layer | undefined): string[] {
  if (part?.kind !== 'partition') {
    return [`${device} is not on a partition, as requested`];
  }
  return part.start !== undefined && part.start > 0 && part.start % PAGE_SECTORS === 0
    ? []
    : [`${part.node} begins in the middle of a page, at sector ${part.start ?? 'unknown'}`];
}

/** Sectors of 512 bytes in a page. */
const PAGE_SECTORS = 8;
