import { z } from '../schema.js';

/** `bundle.json`, the first file of a bundle: what else is in it. */

const text = z.string();

export const bundleSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text }),
  /** Of the run that it was made of. */
  kind: z.enum(['run', 'compare']),
  files: z.array(
    z.object({
      name: text,
      sha256: text.regex(/^[0-9a-f]{64}$/),
      bytes: z.number(),
    }),
  ),
});

export type Bundle = z.infer<typeof bundleSchema>;
export const BUNDLE_FILE = 'bundle.json';
