import { z } from '../schema.js';
import { VERDICTS } from '../verdict/judge.js';

/**
 * The schema for reading result.json. The contract's fields are required. Later additions may be
 * missing, because earlier versions did not write them. Unknown fields are kept, because later versions
 * may write them.
 */

const text = z.string();
const texts = z.array(text);
const count = z.number();
const verdict = z.enum(VERDICTS);
const severity = z.enum(['corruption', 'repairable', 'notice']);
const rate = z.looseObject({ rate: count, interval: z.tuple([count, count]) });

const block = z.looseObject({ number: count, position: count, zeros: z.boolean(), begins: text });

const inode = z.looseObject({
  device: text,
  inode: count,
  inodeType: text.optional(),
  mode: text.optional(),
  size: count.optional(),
  links: count.optional(),
  flags: text.optional(),
  blockMap: text.optional(),
  path: text.optional(),
  pathFrom: z.enum(['medium', 'kernel', 'check']).optional(),
  block: block.optional(),
});

const code = z.looseObject({ address: text, function: text.optional(), in: text, cpu: count });

const cutFacts = z.looseObject({
  promise: text,
  from: count.optional(),
  to: count.optional(),
  cut: count,
  state: text,
  images: count,
  storedBy: code.optional(),
  writtenBackBy: code.nullable().optional(),
});

/** Seconds. */
const cpuSupply = z.looseObject({ seconds: count, ran: count, starved: count, unseen: count });

const finding = z.looseObject({
  tool: text,
  device: text.optional(),
  pass: count.optional(),
  message: text,
  signature: text,
  severity,
  fix: z.enum(['offered', 'made', 'refused']).optional(),
  inode: count.optional(),
  inodeType: text.optional(),
  block: count.optional(),
  offset: count.optional(),
  group: count.optional(),
  path: text.optional(),
  entry: text.optional(),
  provoked: text.optional(),
  entryInode: count.optional(),
  evidence: inode.optional(),
  function: text.optional(),
  powerCut: cutFacts.optional(),
  module: text.optional(),
  lines: texts.optional(),
  cpu: cpuSupply.optional(),
});

const cached = z.looseObject({
  pages: count,
  dirtyPages: count,
  daxEntries: count,
  dirtyDaxEntries: count,
  atLeast: z.boolean(),
});

const unwritten = z.discriminatedUnion('known', [
  z.looseObject({ known: z.literal(false), reason: text }),
  z.looseObject({
    known: z.literal(true),
    unmounts: count,
    omitted: count,
    writtenDax: z.array(z.looseObject({ inodeType: text, inodes: count })),
    inodes: z.array(
      z.looseObject({
        device: text,
        inode: count,
        inodeType: text,
        path: text.optional(),
        dax: z.boolean(),
        size: count,
        before: cached,
        synced: cached,
        dropped: cached,
      }),
    ),
  }),
]);

const occurrence = z.looseObject({ seconds: count, program: text });
const happened = z.looseObject({
  times: count,
  first: occurrence.optional(),
  last: occurrence.optional(),
});

const trace = z.discriminatedUnion('known', [
  z.looseObject({ known: z.literal(false), reason: text }),
  z.looseObject({
    known: z.literal(true),
    inodes: z.array(
      z.looseObject({
        device: text,
        inode: count,
        pagesDirtied: happened,
        marked: happened,
        writeBacks: happened,
        pagesWritten: count,
        writepages: happened.extend({ results: z.array(count) }).optional(),
        daxWriteBacks: happened.optional(),
      }),
    ),
    lost: count,
    without: texts,
    omitted: count.optional(),
  }),
]);

const explanation = z.discriminatedUnion('ran', [
  z.looseObject({ ran: z.literal(false), reason: text }),
  z.looseObject({
    ran: z.literal(true),
    verdict,
    reason: text,
    signatures: z.looseObject({ again: texts, gone: texts, added: texts }),
    unwritten: unwritten.optional(),
    trace,
    durationSeconds: count,
    artifacts: z.record(text, text),
  }),
]);

const dataLook = z.looseObject({
  how: text,
  device: text,
  position: count.optional(),
  same: count.optional(),
  problem: text.optional(),
});

const layer = z.looseObject({
  node: text,
  kind: z.enum(['device-mapper', 'partition', 'disk']),
  number: text,
  start: count.optional(),
  table: text,
  below: text,
});

const look = z.looseObject({
  when: text,
  device: text,
  path: text.optional(),
  layers: z.array(layer).optional(),
  driver: text,
  mountOptions: text,
  statxDax: z.boolean().nullable(),
  dataSame: z.boolean().nullable().optional(),
  data: z.array(dataLook).optional(),
  problems: texts,
  messages: texts,
});

const dax = z.looseObject({
  proven: z.boolean(),
  driver: text,
  mountOptions: text,
  statxBefore: z.boolean().nullable(),
  statxAfter: z.boolean().nullable(),
  module: z.looseObject({ origin: text, sha256: text, buildId: text }).nullable().default(null),
  looks: z.array(look).default([]),
});

/** The machine of a unit. */
export const machineSchema = z.looseObject({
  host: text,
  kernel: text,
  qemu: text,
  node: text,
  cpus: count,
});

export const unitSchema = z.looseObject({
  fs: text,
  test: text,
  suite: z.looseObject({ name: text, version: text }),
  kernel: z.looseObject({ spec: text, release: text, id: text, asked: text.optional() }),
  variant: text,
  pmem: text,
  partition: z.literal(true).optional(),
  stack: text.optional(),
  poison: z.array(z.looseObject({ offset: count, length: count })).optional(),
  accel: text,
  attempt: count,
  seed: count.default(0),
  verdict,
  reason: text,
  outcome: text.optional(),
  expectedFailure: z.looseObject({ reason: text, held: z.boolean() }).optional(),
  control: z.boolean().default(false),
  powerCut: z.looseObject({}).optional(),
  devices: z
    .array(
      z.looseObject({
        variable: text,
        use: z.enum(['log', 'data', 'record']),
        dax: z.boolean().nullable(),
      }),
    )
    .optional(),
  dax,
  findings: z.array(finding),
  omitted: z.array(z.looseObject({ signature: text, severity, count })).optional(),
  unwritten: unwritten.optional(),
  inodes: z.array(inode).optional(),
  explanation: explanation.optional(),
  images: z
    .array(
      z.looseObject({
        device: text,
        file: text.optional(),
        bytes: count.optional(),
        missing: text.optional(),
      }),
    )
    .optional(),
  bootFindings: z.array(finding).default([]),
  ending: text.default('unknown'),
  cpu: cpuSupply.extend({ longestStarved: cpuSupply.extend({ at: text }).optional() }).optional(),
  durationSeconds: count,
  bootSeconds: count.nullable().default(null),
  cloned: z.boolean().default(false),
  clonedMounted: z.literal(true).optional(),
  together: z.looseObject({ guest: count, position: count, after: texts, alone: text }).optional(),
  machine: machineSchema.optional(),
  artifacts: z.record(text, text),
  replay: text,
});

const host = z
  .looseObject({ kernel: text, qemu: text, node: text, cpus: count })
  .default({ kernel: 'unknown', qemu: 'unknown', node: 'unknown', cpus: 0 });

/** The fields of every document. */
const document = {
  schemaVersion: z.literal(1),
  tool: z.looseObject({ name: z.literal('daxrepro'), version: text }),
  command: texts,
  host,
  tools: z.record(text, text).optional(),
  started: text.default(''),
  durationSeconds: count.default(0),
  directory: text.default(''),
};

export const runSchema = z.looseObject({
  ...document,
  verdict,
  units: z.array(unitSchema),
  repeats: z
    .array(
      z.looseObject({
        fs: text,
        test: text,
        variant: text,
        pmem: text,
        powerCut: z.boolean().default(false),
        kernel: text.optional(),
        counts: z.partialRecord(verdict, count),
        failures: rate.optional(),
      }),
    )
    .default([]),
});

const change = z.looseObject({
  signature: text,
  severity,
  message: text,
  attempts: count,
  of: count,
});
const cell = {
  fs: text,
  test: text,
  pmem: text,
  powerCut: z.boolean().default(false),
  base: text,
  variant: text,
  kernel: text.optional(),
  baseKernel: text.optional(),
};
const counted = z.looseObject({ hits: count, trials: count });
const expected = z.looseObject({ verdict, signature: text.optional() });

export const compareSchema = runSchema.extend({
  case: z.looseObject({
    file: text.nullable(),
    title: text.nullable(),
    kernel: text,
    kernels: texts.optional(),
    variants: z.array(z.looseObject({ name: text, changes: texts, steps: count.optional() })),
    fileSystems: texts,
    tests: texts,
    pmem: texts,
    powerCut: z.array(z.boolean()).default([]),
  }),
  units: z.array(unitSchema.extend({ expected: expected.nullable(), held: z.boolean() })),
  tools: z.record(text, text).default({}),
  differences: z
    .array(
      z.looseObject({
        ...cell,
        verdicts: z.looseObject({ base: verdict, variant: verdict }),
        comparable: z.boolean(),
        appeared: z.array(change),
        vanished: z.array(change),
      }),
    )
    .default([]),
  rates: z
    .array(
      z.looseObject({
        ...cell,
        failures: z.looseObject({ base: counted, variant: counted }),
        p: count,
        difference: z.looseObject({ rate: count, interval: z.tuple([count, count]) }),
        conclusion: z.enum(['fails-less', 'fails-more', 'undecided']),
        runsNeeded: count.nullable(),
      }),
    )
    .default([]),
});

export const bisectionSchema = z.looseObject({
  ...document,
  question: z.looseObject({
    fs: text,
    tests: texts,
    signature: text.nullable(),
    kernel: text,
    tree: text.optional(),
    good: text.optional(),
    bad: text.optional(),
    series: text.optional(),
    changes: count,
    builds: count,
    confidence: count,
    leastRate: count,
    maxRuns: count,
  }),
  answer: z.looseObject({
    ending: text,
    summary: text,
    probability: count.nullable(),
    culprits: z.array(
      z.looseObject({
        id: text,
        title: text,
        author: text.nullable(),
        date: text.nullable(),
        diffstat: text.nullable(),
        findings: z.array(z.looseObject({ signature: text, runs: count })),
      }),
    ),
    rate: rate.nullable(),
    runsNeeded: count.nullable(),
  }),
  path: z.array(
    z.looseObject({
      change: text,
      title: text,
      good: count,
      bad: count,
      unknown: count,
      skipped: text.nullable(),
      probability: count,
    }),
  ),
  runs: z.array(z.looseObject({ folders: texts.default([]) })),
  builds: z.array(z.looseObject({})),
});
