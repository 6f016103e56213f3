import { type PoisonRange, poisonText } from './poison.js';

/**
 * What can lie between a device and its file system: a partition table, and a device of device mapper.
 * The guest makes them before its checkpoint (guest-scripts/lib/layers.sh).
 */

export const STACKS = [
  'linear',
  'stripe',
  'log-writes',
  'flakey',
  'delay',
  'snapshot',
  'writecache',
] as const;
/** A target of device mapper. `stripe` lies across two halves of one device. */
export type Stack = (typeof STACKS)[number];

/** The targets that pass DAX on (drivers/md: `direct_access`). */
export const STACKS_WITH_DAX: readonly Stack[] = ['linear', 'stripe', 'log-writes'];

export interface Layers {
  /** A partition table, with the file system or the stack on its only partition. */
  partition?: true | undefined;
  stack?: Stack | undefined;
}

/** The kernel's name of the target. */
export function targetOf(stack: Stack): string {
  return stack === 'stripe' ? 'striped' : stack;
}

/**
 * Bytes of the further device that TEST_DEV and SCRATCH_DEV each need: a log, what a snapshot keeps of
 * changed blocks, or a cache. 0 if the target needs none.
 */
export function besideSize(stack: Stack | undefined, deviceSize: number): number {
  switch (stack) {
    // It logs each write, also of the same block.
    case 'log-writes':
    // More than the device, for the table of the blocks.
    case 'snapshot':
      return 2 * deviceSize;
    case 'writecache':
      return deviceSize;
    default:
      return 0;
  }
}

/** As results have them, which may come from another version. */
interface NamedLayers {
  partition?: true | undefined;
  stack?: string | undefined;
  /** Not a layer, but also what tells devices apart. */
  poison?: readonly PoisonRange[] | undefined;
}

/** For people: `a partition and dm-linear`; undefined if there are none. */
export function layerWords({ partition, stack, poison }: NamedLayers): string | undefined {
  const words = [
    ...(partition ? ['a partition'] : []),
    ...(stack ? [`dm-${stack}`] : []),
    ...(poison ? [`poison at ${poison.map(poisonText).join(', ')}`] : []),
  ];
  return words.length === 0 ? undefined : words.join(' and ');
}

/** `memmap`, or `memmap with dm-linear`. */
export function deviceWords({ pmem, ...layers }: { pmem: string } & NamedLayers): string {
  const between = layerWords(layers);
  return between === undefined ? pmem : `${pmem} with ${between}`;
}

/** The kernel's name of a device: `dm-0` of /dev/mapper/dm-0. */
export function nodeOf(device: string): string {
  return device.replace(/^.*\//, '');
}
