import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from '../../schema.js';

/**
 * What a copy of an xfstests tree in the cache has beyond the user's tree. The copy says it itself, in a
 * file at its top, so that everything that reads a tree finds it.
 */

const changeSchema = z.discriminatedUnion('type', [
  /** A patch or mailbox of --suite-patch. */
  z.object({
    type: z.literal('patch'),
    /** The user's file, for people. */
    file: z.string(),
    /** Its content when the copy was made; absolute. */
    kept: z.string(),
  }),
  /** A file of a test outside the tree: the test itself, its output, its configuration. */
  z.object({
    type: z.literal('file'),
    /** In the tree: `tests/generic/999.out`. */
    path: z.string(),
    file: z.string(),
    kept: z.string(),
  }),
]);

const overlaySchema = z.object({
  /** The user's tree; absolute. */
  of: z.string(),
  changes: z.array(changeSchema),
});

export type SuiteChange = z.infer<typeof changeSchema>;
export type Overlay = z.infer<typeof overlaySchema>;

export const OVERLAY_FILE = '.daxrepro-overlay.json';

/** undefined for a tree of the user's. */
export function readOverlay(directory: string): Overlay | undefined {
  try {
    return overlaySchema.parse(JSON.parse(readFileSync(join(directory, OVERLAY_FILE), 'utf8')));
  } catch {
    return undefined;
  }
}
