import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '../schema.js';
import { type CutEvent, cutName, SiteSchema } from './events.js';

/** Bytes of a cache line. */
export const LINE = 64;

/** A run of lines that a cut loses, about which the same is known. */
export const LostSchema = z.object({
  range: z.number().int(),
  /** Bytes from the range's begin. */
  offset: z.number(),
  /** How many lines of 64 bytes. */
  lines: z.number().int(),
  /** Stored to since the last write-back; that is on its way, not fenced; or both. */
  state: z.enum(['dirty', 'pending', 'both']),
  /** The last of each since BEGIN; null where there was none. */
  store: SiteSchema.nullable(),
  writeBack: SiteSchema.nullable(),
  /** Of a cut after a call: whether the last store came before the call began. */
  before: z.boolean().optional(),
});
export type Lost = z.infer<typeof LostSchema>;

/** Empty for a cut at which nothing was dirty or on its way. */
export async function readLost(directory: string, { cut, states }: CutEvent): Promise<Lost[]> {
  if (states.length === 1) return [];
  const text = await readFile(join(directory, `${cutName(cut)}.lost.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LostSchema.parse(JSON.parse(line)));
}

/** The run that has this byte of the device. */
export function runAt(lost: readonly Lost[], position: number): Lost | undefined {
  return lost.find(({ offset, lines }) => position >= offset && position < offset + lines * LINE);
}
