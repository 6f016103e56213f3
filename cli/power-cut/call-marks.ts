import { z } from '../schema.js';
import { GuestText } from './events.js';

/** The marks of kernels/witness/sync-calls.c, which documents them. The guest chooses the texts in them. */

const number = z.number().int().nonnegative();

const MarkSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('call'),
    by: z.string().regex(/^[A-Za-z_]{1,20}$/),
    /** TEST_DEV is 0, SCRATCH_DEV 1; absent for both. */
    device: number.optional(),
    inode: number.optional(),
    generation: number.optional(),
    from: number.optional(),
    to: number.optional(),
    size: number.optional(),
    blocks: number.optional(),
    links: number.optional(),
    kept: z.boolean(),
    unchanged: z.boolean().optional(),
    program: GuestText,
    path: GuestText.optional(),
  }),
  z.object({ kind: z.literal('mounted'), device: number }),
  z.object({ kind: z.literal('unmounting'), device: number }),
  z.object({ kind: z.literal('calls'), seen: number, failed: number, missed: number }),
]);
export type CallMark = z.infer<typeof MarkSchema>;
export type SyncCall = Extract<CallMark, { kind: 'call' }>;

/** @returns undefined if the text is no such mark */
export function readMark(text: string): CallMark | undefined {
  try {
    return MarkSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
