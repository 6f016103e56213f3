import { z } from 'zod';

/**
 * What KCIDB's schema 5.3 requires of the properties that we write. KCIDB's own validator is used where it
 * is there: see readers.ts.
 */

const origin = z.string().regex(/^[a-z0-9_]+$/);
const id = z.string().regex(/^[a-z0-9_]+:[^\0]*$/);
const path = z.string().regex(/^([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?$/);
const text = z.string().regex(/^[^\0]*$/);
const misc = z.record(z.string(), z.unknown());
const time = z.iso.datetime();
const status = z.enum(['FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP']);
const files = z.array(z.strictObject({ name: z.string().regex(/^[^/\0]+$/), url: z.url() }));
const common = { id, origin, comment: text.optional(), misc: misc.optional() };

export const KCIDB = z.strictObject({
  version: z.strictObject({ major: z.literal(5), minor: z.literal(3) }),
  checkouts: z.array(
    z.strictObject({
      ...common,
      git_commit_hash: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .optional(),
      patchset_files: files.optional(),
      patchset_hash: z
        .string()
        .regex(/^$|^[0-9a-f]{64}$/)
        .optional(),
      start_time: time.optional(),
      valid: z.boolean().optional(),
    }),
  ),
  builds: z.array(
    z.strictObject({
      ...common,
      checkout_id: id,
      architecture: z
        .string()
        .regex(/^[a-z0-9_]*$/)
        .optional(),
      compiler: text.optional(),
      input_files: files.optional(),
      status: status.optional(),
    }),
  ),
  tests: z.array(
    z.strictObject({
      ...common,
      build_id: id,
      path,
      status,
      duration: z.number(),
      environment: z.strictObject({ comment: text, misc }),
      log_url: z.url().optional(),
      log_excerpt: text.max(16_384).optional(),
      output_files: files.optional(),
    }),
  ),
  issues: z.array(z.strictObject({ ...common, version: z.int().min(0) })),
  incidents: z.array(
    z.strictObject({
      ...common,
      issue_id: id,
      issue_version: z.int().min(0),
      test_id: id,
      present: z.boolean(),
    }),
  ),
});
