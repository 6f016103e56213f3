import { z } from '../schema.js';

/** The marks of guest-scripts/programs/promises, which documents them. The guest chooses their text. */

const number = z.number().int().nonnegative();
/** A path below TEST_DEV's root. It is sent back to a guest as a line of its own. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/);
const by = z.string().regex(/^[A-Za-z_-]{1,20}$/);

const RecordSchema = z.union([
  z.strictObject({ kind: z.literal('change'), file: number, from: number, to: number }),
  z.strictObject({ kind: z.literal('size'), file: number }),
  z.strictObject({ kind: z.literal('create'), name, file: number }),
  z.strictObject({ kind: z.literal('rename'), from: name, to: name, file: number }),
  z.strictObject({ kind: z.literal('unlink'), name }),
  z.strictObject({
    kind: z.literal('promise'),
    by,
    file: number,
    name,
    size: number.optional(),
    /** Offset, length, and the byte that all bytes equal. */
    data: z.array(z.tuple([number, number, number.max(255)])),
    checksum: z.string().regex(/^[0-9a-f]{16}$/),
  }),
  z.strictObject({ kind: z.literal('promise'), by, names: z.array(z.tuple([name, number])) }),
]);
export type PromiseRecord = z.infer<typeof RecordSchema>;

/** @returns undefined if it is not a record */
export function readRecord(text: string): PromiseRecord | undefined {
  try {
    return RecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
