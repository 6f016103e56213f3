import type { MachineShape } from '../guest/machine.js';
import type { PowerCutEvent } from './events.js';
import { pmemRanges } from './ranges.js';

/**
 * Whether what the plugin watched is what the guest had: TEST_DEV, and all that brings it to the medium.
 * Were it not, all would be found lost, or nothing would.
 *
 * @param address at which TEST_DEV begins, as the guest says
 * @returns why nothing can be told, in one clause without the full stop; undefined where it can
 */
export function whyNotWatched(
  shape: MachineShape,
  address: number | undefined,
  events: readonly PowerCutEvent[],
): string | undefined {
  const start = pmemRanges(shape, '', ['', ''])[0]?.start;
  if (address === undefined) return 'the guest does not say where TEST_DEV is in its memory';
  if (address !== start) {
    return `TEST_DEV is at ${hex(address)} in the guest's memory, and ${hex(start)} was watched`;
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

function hex(address: number | undefined): string {
  return `0x${(address ?? 0).toString(16)}`;
}
