import { z } from '../schema.js';

/**
 * `inputs/manifest.json` of a run's directory: what it takes to run its units again. Beside it are copies
 * of the files that were put in:
 *
 *     inputs/manifest.json
 *     inputs/changes/001-v2.patch …   patches, mailboxes and semantic patches
 *     inputs/kconfig/001-….config     fragments of a configuration
 *     inputs/case.yaml                of a comparison, for people: what it says is in the manifest
 *     inputs/tree.diff                what is not committed of a kernel tree that was built
 *
 * A manifest may come from a stranger: nothing in it is believed that is not checked again.
 */

const text = z.string();
const count = z.number();

/** Below `inputs/`, as we write them: no other path is opened. */
const fileName = text.regex(
  /^(?:(?:changes|kconfig)\/\d{3}-[A-Za-z0-9._-]{1,80}|case\.yaml|tree\.diff)$/,
);
const sha256 = text.regex(/^[0-9a-f]{64}$/);

const fileSchema = z.object({
  name: fileName,
  sha256,
  bytes: count,
  /** Where it was, for people; bundles do not have it. */
  from: text.optional(),
});

const requestSchema = z.object({
  fs: text,
  tests: z.array(text),
  kernel: text,
  variant: z.object({ name: text, changes: z.array(fileName), steps: count.optional() }),
  cc: text.optional(),
  kconfig: z.array(fileName).default([]),
  pmem: text,
  /** Bytes of each device. */
  size: count.optional(),
  mkfsOptions: text.optional(),
  mountOptions: text.optional(),
  /** Seconds. */
  timeout: count,
  /** Of the first attempt; the next ones count on from it. */
  seed: count,
  cpus: count,
  control: z.boolean(),
  /** Where power is cut: at how many drawn moments at most, and random images of each. */
  powerCut: z.object({ cuts: count, states: count }).optional(),
});

const kernelSchema = z.object({
  spec: text,
  release: text,
  id: text,
  image: z.object({ sha256, bytes: count }),
  /** The program that it was compiled with, and its modules are. */
  compiler: text.optional(),
  /** Of a packaged kernel. */
  package: z.object({ name: text, version: text }).optional(),
  /** Of a git tree; `diff` names the file with what is not committed. */
  tree: z.object({ commit: text, diff: fileName.optional() }).optional(),
});

export const inputsSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text }),
  files: z.array(fileSchema),
  requests: z.array(requestSchema),
  suite: z.object({ name: z.enum(['builtin', 'xfstests']), version: text }),
  /** The xfstests tree; a directory of this machine, which bundles do not name. */
  suiteDirectory: text.optional(),
  /** The tree that was bisected; as the suite's. */
  treeDirectory: text.optional(),
  kernels: z.array(kernelSchema),
  checkpoints: z.boolean(),
  together: z.boolean(),
});

export type Inputs = z.infer<typeof inputsSchema>;
export type InputFile = z.infer<typeof fileSchema>;
export type RecordedRequest = z.infer<typeof requestSchema>;
export type RecordedKernel = z.infer<typeof kernelSchema>;
