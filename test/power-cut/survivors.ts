import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readDelta } from '../../cli/power-cut/delta.js';
import { type CutEvent, cutName, readEvents } from '../../cli/power-cut/events.js';
import { PMEM } from './bare.js';

/** Of each cut, by its label, what one byte of the pmem is in each state. */
export interface Observed {
  event: CutEvent;
  byte(state: string, offset: number): number;
}

export async function observe(directory: string): Promise<Map<string, Observed>> {
  const medium = Buffer.alloc(PMEM.size);
  const observed = new Map<string, Observed>();
  for (const event of await readEvents(directory)) {
    if (event.event !== 'cut') continue;
    for await (const { offset, bytes } of readDelta(
      join(directory, `${cutName(event.cut)}.medium`),
    )) {
      bytes.copy(medium, offset);
    }
    const sure = Buffer.from(medium);
    const lines = new Map<string, Map<number, Buffer>>();
    for (const state of event.states.slice(1)) {
      const changed = new Map<number, Buffer>();
      for await (const { offset, bytes } of readDelta(
        join(directory, `${cutName(event.cut)}.${state}`),
      )) {
        changed.set(offset, bytes);
      }
      lines.set(state, changed);
    }
    observed.set(event.label, {
      event,
      byte: (state, offset) =>
        lines.get(state)?.get(offset - (offset % 64))?.[offset % 64] ?? sure[offset] ?? -1,
    });
  }
  return observed;
}

/** Names of files that never got their final name. */
export function partial(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.partial'));
}
