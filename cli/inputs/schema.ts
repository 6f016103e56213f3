import { PACKAGES } from '../guest/packages.js';
import { z } from '../schema.js';

/**
 * `inputs/manifest.json` in a run's directory: everything needed to run its units again. Beside it are
 * copies of the input files:
 *
 *     inputs/manifest.json
 *     inputs/changes/001-v2.patch …   patches, mailboxes and semantic patches
 *     inputs/kconfig/001-….config     configuration fragments
 *     inputs/suite/001-….patch        what --suite-patch and tests from outside add to an xfstests tree
 *     inputs/packages/001-xfsprogs.cpio   programs of a build tree, as the guest got them
 *     inputs/case.yaml                of a comparison, for people: the manifest has the same content
 *     inputs/tree.diff                uncommitted changes of the built kernel tree
 *
 * A manifest may come from a stranger, so all its values are checked again.
 */

const text = z.string();
const count = z.number();

/** A path below `inputs/` of the form that daxrepro writes. No other path is opened. */
const fileName = text.regex(
  /^(?:(?:changes|kconfig|tests|suite|packages)\/\d{3}-[A-Za-z0-9._-]{1,80}|case\.yaml|tree\.diff)$/,
);
const sha256 = text.regex(/^[0-9a-f]{64}$/);

const fileSchema = z.object({
  name: fileName,
  sha256,
  bytes: count,
  /** The original path, for people. Bundles leave it out. */
  from: text.optional(),
});

/** Of the file's header, as far as the command line left it. */
const userTestSettings = z.object({
  mountOptions: text.optional(),
  mkfsOptions: text.optional(),
  size: count.optional(),
  memory: count.optional(),
  timeout: count.optional(),
  runFor: count.optional(),
  expect: z.enum(['pass', 'fail']).optional(),
  summary: text.optional(),
});

const requestSchema = z.object({
  fs: text,
  tests: z.array(text),
  kernel: text,
  /** In a comparison of several kernels: the word of `--kernel`. */
  askedKernel: text.optional(),
  variant: z.object({ name: text, changes: z.array(fileName), steps: count.optional() }),
  cc: text.optional(),
  qemu: text.optional(),
  userland: text.optional(),
  /** Packages that are not the userland's. */
  packages: z
    .array(
      z.object({
        name: z.enum(PACKAGES),
        /** debian:SUITE=VERSION; else what it was, for people. */
        from: text,
        version: text.optional(),
        /** What the guest got, if it came from a tree. */
        archive: fileName.optional(),
      }),
    )
    .optional(),
  kconfig: z.array(fileName).default([]),
  pmem: text,
  partition: z.literal(true).optional(),
  /** A target of device mapper below the file systems. */
  stack: text.optional(),
  /** Bytes of each device. */
  size: count.optional(),
  mkfsOptions: text.optional(),
  mountOptions: text.optional(),
  /** Seconds. */
  timeout: count,
  /** Bytes of the guest's memory. */
  memory: count.optional(),
  /** Further parameters of the guest's kernel. */
  append: text.optional(),
  /** Kernel settings, `KEY=VALUE`. */
  sysctl: z.array(text).optional(),
  /** What of TEST_DEV is poisoned during a test. */
  poison: z.array(z.object({ offset: count, length: count })).optional(),
  /** Options that add devices. */
  devices: z.array(z.enum(['log-device', 'rt-device', 'logwrites'])).optional(),
  /** Seconds after which the user's tests are ended. */
  runFor: count.optional(),
  /** Those of `tests` that are the user's files. */
  userTests: z
    .array(
      z.object({
        word: text,
        kind: z.enum(['program', 'c', 'fio']),
        settings: userTestSettings,
        /** As the user wrote it, for people. */
        source: fileName,
        /** What the guest gets. */
        archive: fileName,
      }),
    )
    .optional(),
  /** The seed of the first attempt; later attempts count up from it. */
  seed: count,
  cpus: count,
  control: z.boolean(),
  /** With power cuts: the most cuts at random moments, and the random images of each cut. */
  powerCut: z.object({ cuts: count, states: count }).optional(),
});

const kernelSchema = z.object({
  spec: text,
  release: text,
  id: text,
  image: z.object({ sha256, bytes: count }),
  /** The compiler of the kernel and its modules. */
  compiler: text.optional(),
  /** For a packaged kernel. */
  package: z.object({ name: text, version: text }).optional(),
  /** For a git tree; `diff` names the file with uncommitted changes. */
  tree: z.object({ commit: text, diff: fileName.optional() }).optional(),
});

export const inputsSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text }),
  files: z.array(fileSchema),
  requests: z.array(requestSchema),
  suite: z.object({ name: z.enum(['builtin', 'xfstests']), version: text }),
  /** The directory of the xfstests tree on this machine. Bundles leave it out. */
  suiteDirectory: text.optional(),
  /** What was added to the xfstests tree, in order. */
  suiteChanges: z
    .array(
      z.discriminatedUnion('type', [
        z.object({ type: z.literal('patch'), file: fileName }),
        z.object({
          type: z.literal('file'),
          file: fileName,
          /** In the tree. Only tests and their outputs are added as files. */
          path: text.regex(/^tests\/[a-z0-9]+\/\d{3}[\w.-]*$/),
        }),
      ]),
    )
    .optional(),
  /** The directory of the bisected tree. Bundles leave it out. */
  treeDirectory: text.optional(),
  kernels: z.array(kernelSchema),
  checkpoints: z.boolean(),
  together: z.boolean(),
});

export type Inputs = z.infer<typeof inputsSchema>;
export type InputFile = z.infer<typeof fileSchema>;
export type RecordedRequest = z.infer<typeof requestSchema>;
export type RecordedKernel = z.infer<typeof kernelSchema>;
