import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '../schema.js';
import { type CutEvent, cutName, SiteSchema } from './events.js';

/** Bytes of a cache line. */
export const LINE = 64;

/** A run of lines that a cut loses, with the same history. */
export const LostSchema = z.object({
  range: z.number().int(),
  /** Bytes from the start of the range. */
  offset: z.number(),
  /** How many lines of 64 bytes. */
  lines: z.number().int(),
  /** Stored to since the last write-back, written back but not yet fenced, or both. */
  state: z.enum(['dirty', 'pending', 'both']),
  /** The last store and the last write-back since BEGIN; null if there was none. */
  store: SiteSchema.nullable(),
  writeBack: SiteSchema.nullable(),
  /** For a cut after a call: whether the last store came before the call began. */
  before: z.boolean().optional(),
});
export type Lost = z.infer<typeof LostSchema>;

/** Empty for a cut at which no line was dirty or being written back. */
export async function readLost(directory: string, { cut, states }: CutEvent): Promise<Lost[]> {
  if (states.length === 1) return [];
  const text = await readFile(join(directory, `${cutName(cut)}.lost.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LostSchema.parse(JSON.parse(line)));
}

/** The run that contains this byte of the device. */
export function runAt(lost: readonly Lost[], position: number): Lost | undefined {
  return lost.find(({ offset, lines }) => position >= offset && position < offset + lines * LINE);
}
