import type { MachineShape } from '../guest/machine.js';
import type { PowerCutEvent } from './events.js';
import { pmemRanges } from './ranges.js';

const NAMES = ['TEST_DEV', 'SCRATCH_DEV'];

/**
 * Whether what the plugin watched is what the guest had: its devices, and all that brings them to the medium.
 * Were it not, all would be found lost, or nothing would.
 *
 * @param addresses at which they begin, as the guest says
 * @returns why nothing can be told, in one clause without the full stop; undefined where it can
 */
export function whyNotWatched(
  shape: MachineShape,
  addresses: readonly (number | undefined)[],
  events: readonly PowerCutEvent[],
): string | undefined {
  for (const [device, { start }] of pmemRanges(shape, '', ['', '']).entries()) {
    const [name, address] = [NAMES[device], addresses[device]];
    if (address === undefined) return `the guest does not say where ${name} is in its memory`;
    if (address !== start) {
      return `${name} is at ${hex(address)} in the guest's memory, and ${hex(start)} was watched`;
    }
  }
  const problem = events.find((event) => event.event === 'problem');
  if (problem) return problem.text;
  return shape.pmem === 'virtio-pmem' && !anyRequest(events)
    ? 'QEMU was not seen to flush TEST_DEV, not even when its file system was made'
    : undefined;
}

/** A request for a flush, before the script began or since. */
function anyRequest(events: readonly PowerCutEvent[]): boolean {
  return events.some((event) => {
    if (event.event === 'begin') return event.requests > 0;
    return 'counters' in event && event.counters.requests > 0;
  });
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
