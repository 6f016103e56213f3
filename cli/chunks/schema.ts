import { ACCELERATOR_CHOICES } from '../guest/accelerator.js';
import { ADDITIONAL_DEVICES } from '../guest/additional-devices.js';
import { STACKS } from '../guest/layers.js';
import { PMEM_KINDS } from '../guest/machine.js';
import type { Failure } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Expected } from '../results/case.js';
import type { UnitMachine } from '../results/run-result.js';
import { machineSchema } from '../results/schema.js';
import { z } from '../schema.js';
import { VERDICTS } from '../verdict/judge.js';

/**
 * The files of a planned run. Its directory is also the run's directory:
 *
 *     plan.json                       the plan, written last
 *     chunks/1-0001.json              the units of a chunk; the first number counts the plans
 *     inputs/                         as in every run's directory
 *     kernels/001/image, initramfs    what guests boot, in the layout of bundles
 *     kernels/001/sent/001.ko         a file system's module that is sent to the guest
 *     tools/plugin.so                 for power cuts
 *     program/                        daxrepro itself, for machines that do not have it
 *     machines/0001-n1-4711.json      what a machine says about its work on a chunk
 *     work/n1-4711/                   units that are running
 *     001-ext2-generic-002/           a unit that has ended: see unit-file.ts
 *     replaced/                       results that a new plan or a whole result replaced
 *
 * They may be copied between machines, so everything is checked when it is read.
 */

const text = z.string();
const count = z.number().int().nonnegative();
const sha256 = text.regex(/^[0-9a-f]{64}$/);

/** A path below the directory, of the form that daxrepro writes. No other path is opened. */
const fileName = text.regex(
  /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/,
);

/** As in a bundle's list. */
const file = z.object({ name: fileName, sha256, bytes: count });

const moduleSchema = z.object({
  name: text,
  sha256,
  buildId: text,
  srcversion: text.optional(),
  origin: z.enum(['packaged', 'built']),
  dependencies: z.array(text),
  compiler: text.optional(),
  /** A built module is sent to the guest. A packaged one is in the guest image. */
  file: fileName.optional(),
});

/** What some units share: a kernel, a guest image, a module. */
const preparedSchema = z.object({
  kernel: z.object({ spec: text, release: text, id: text }),
  image: fileName,
  initramfs: fileName,
  witness: z.object({ missing: text.optional(), wantsCompiler: z.boolean().optional() }),
  module: moduleSchema.nullable(),
});

const expectedFailure = z.object({
  test: text,
  reason: text,
  fs: z.array(text).optional(),
  kernel: z
    .array(z.object({ operator: z.enum(['<', '<=', '>', '>=', '=']), version: text }))
    .optional(),
  pmem: z.array(text).optional(),
  signature: text.optional(),
});

const changes = z.object({ name: text, changes: z.array(text), steps: count.optional() });

/** What the report of a comparison needs of its case. */
const comparedCase = z.object({
  file: text.nullable(),
  title: text.nullable(),
  kernel: text,
  kernels: z.array(text).optional(),
  variants: z.array(changes),
  fileSystems: z.array(z.enum(['ext2', 'ext4', 'xfs'])),
  tests: z.array(text),
  pmem: z.array(z.enum(PMEM_KINDS)),
  powerCut: z.array(z.boolean()),
});

export const planSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({ name: z.literal('daxrepro'), version: text, program: sha256 }),
  kind: z.enum(['run', 'compare']),
  /** Names the units and all their inputs. Every result has it. */
  id: sha256,
  /** The command line without `plan`. */
  command: z.array(text),
  started: text,
  /** How units are run. */
  settings: z.object({
    accelerator: z.enum(ACCELERATOR_CHOICES),
    checkpoints: z.boolean(),
    together: z.boolean(),
    explain: z.boolean(),
    /** Bytes for images of damaged devices, all chunks together. */
    imageBytes: count,
    /** `--qemu`: a program of the machine that runs the chunk. */
    qemu: text.optional(),
  }),
  /** Versions of the programs in the guest image. */
  tools: z.record(text, text),
  expected: z.array(expectedFailure),
  case: comparedCase.optional(),
  files: z.array(file),
  prepared: z.array(preparedSchema),
  /** The user's test files as they are sent, by their words. */
  userTests: z.array(z.object({ word: text, file: fileName })),
  plugin: fileName.optional(),
  /** All units of the run. */
  units: count,
  /** Units whose variant could not be prepared: a file in the form of a chunk. */
  unprepared: file.optional(),
  /** All units of the run, in the form of chunks. */
  all: z.array(file),
  /** The chunks to run, in order. */
  chunks: z.array(file.extend({ units: count, seconds: z.number(), limit: z.number() })),
  /** How often the units were planned. */
  generation: count,
});

export type Plan = z.infer<typeof planSchema>;
export type PlannedFile = Plan['files'][number];
export type PreparedFiles = z.infer<typeof preparedSchema>;

const facts = z.object({
  groups: z.array(text),
  provokes: z.array(text),
  summary: text,
  missing: z.boolean().optional(),
});

/** A unit, as cli/plan/unit.ts describes it. */
/** Strict, so that a machine with another daxrepro leaves out nothing that a unit asks for. */
const unit = z.strictObject({
  fs: z.enum(['ext2', 'ext4', 'xfs']),
  test: text,
  suite: z.object({ name: z.enum(['builtin', 'xfstests', 'user']), version: text }),
  userTest: z
    .object({
      id: text,
      file: text,
      kind: z.enum(['program', 'c', 'fio']),
      settings: z.looseObject({}),
      with: text.optional(),
      packed: text.optional(),
    })
    .optional(),
  endsByTime: z.literal(true).optional(),
  facts: facts.optional(),
  kernelSpec: text,
  askedKernel: text.optional(),
  variant: text,
  attempt: count,
  seed: count,
  shape: z.strictObject({
    pmem: z.enum(PMEM_KINDS),
    deviceSize: count,
    memory: count,
    cpus: count,
    append: text.optional(),
    additional: z.array(count).optional(),
    partition: z.literal(true).optional(),
    stack: z.enum(STACKS).optional(),
  }),
  devices: z.array(z.enum(ADDITIONAL_DEVICES.map(({ variable }) => variable))).optional(),
  mkfsOptions: text,
  mountOptions: text,
  timeout: z.number(),
  sysctl: z.array(text).optional(),
  control: z.boolean(),
  poison: z.array(z.object({ offset: count, length: count })).optional(),
  powerCut: z.object({ cuts: count, states: count }).optional(),
});

/** Every part of a unit is in the plan. Sessions and recorded units are not planned. */
unit.shape satisfies Record<Exclude<keyof Unit, 'session'>, unknown>;
unit.shape.shape.shape satisfies Record<
  Exclude<keyof Unit['shape'], 'terminal' | 'recorded'>,
  unknown
>;

const failureKind = z.enum([
  ...['usage', 'program-missing', 'unreadable', 'kernel-unavailable', 'change-rejected'],
  ...['build-failed', 'storage', 'tool-failed', 'interrupted'],
] as const);

const entry = z.object({
  /** Its place among the units of the result, from 0. */
  at: count,
  /** Its number in the run's directory, from 0. */
  index: count,
  /** The hash of the unit and of its inputs. */
  inputs: sha256,
  /** Index into `prepared`; undefined if its variant could not be prepared. */
  prepared: count.optional(),
  failure: z
    .looseObject({ kind: failureKind, message: text, remedy: text, detail: text.optional() })
    .optional(),
  /** Expected seconds. */
  seconds: z.number(),
  replay: text,
  /** Of a test that may share its guest: the same command, with AFTER for the tests before it. */
  replayAfter: text.optional(),
  /** In a comparison: the expectation of its cell. */
  expected: z
    .object({ verdict: z.enum(VERDICTS), signature: text.optional() })
    .nullable()
    .optional(),
  unit,
});

/** A unit with all that a machine has to know about it. */
export type PlannedUnit = Omit<z.infer<typeof entry>, 'unit' | 'failure' | 'expected'> & {
  unit: Unit;
  failure?: Failure;
  expected?: Expected | null;
};

export const chunkSchema = z.object({ schemaVersion: z.literal(1), units: z.array(entry) });

/** The first line of a unit's file. */
export const headerSchema = z.object({
  schemaVersion: z.literal(1),
  plan: sha256,
  inputs: sha256,
  at: count,
  /** The process that ran it: host, process id, time. */
  session: text,
  ended: z.number(),
  bytes: count,
  sha256,
});

export type UnitHeader = z.infer<typeof headerSchema>;

/** `machines/…json` */
export const noteSchema = z.object({
  schemaVersion: z.literal(1),
  plan: sha256,
  chunk: text,
  session: text,
  machine: machineSchema,
  accel: text,
  started: z.number(),
  ended: z.number().optional(),
  /** Why units of the chunk have no result: one clause without the full stop. */
  problem: text.optional(),
  /** Bytes of the images that it kept. */
  imageBytes: count,
});

export type MachineNote = Omit<z.infer<typeof noteSchema>, 'machine'> & { machine: UnitMachine };
