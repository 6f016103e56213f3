import type { MachineShape } from '../guest/machine.js';
import type { PowerCutEvent } from './events.js';
import { pmemRanges } from './ranges.js';

const NAMES = ['TEST_DEV', 'SCRATCH_DEV'];

/**
 * Whether the plugin watched what the guest has: its devices, and every way in which data reaches the medium.
 * Otherwise all data would seem lost, or none.
 *
 * @param addresses the devices' addresses, as the guest reports them
 * @returns why no verdict is possible, in one clause without the full stop; undefined if one is possible
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

/** Whether there was a flush request, before the script began or later. */
function anyRequest(events: readonly PowerCutEvent[]): boolean {
  return events.some((event) => {
    if (event.event === 'begin') return event.requests > 0;
    return 'counters' in event && event.counters.requests > 0;
  });
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
