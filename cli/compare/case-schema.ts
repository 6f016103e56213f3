import { ALONE, variantName } from '../configuration/schema.js';
import { FILE_SYSTEMS } from '../file-systems.js';
import { STACKS } from '../guest/layers.js';
import { z } from '../schema.js';
import { VERDICTS } from '../verdict/judge.js';

/**
 * The shape of a case file. Each error says what would be right; case-file.ts adds what was found, and
 * where. docs/case.schema.json is generated from it, for editors: `or` is a short form that may replace
 * a list or a map.
 */

/** `a` means the same as `[a]`. */
function oneOrMore<Item extends z.ZodType>(item: Item, error: string) {
  const asList = (value: unknown) =>
    value === undefined || value === null || Array.isArray(value) ? value : [value];
  return z.preprocess(asList, z.array(item, { error }).min(1, { error })).meta(ALONE);
}

const KERNEL = 'Give a kernel, such as debian:6.1, or a list of them';
const TESTS = 'Give a list of tests, such as [generic/002]; `daxrepro list` shows them';
const GROUPS = 'Give a list of groups, such as [dax]; `daxrepro list` shows them';
const SUITE = 'Give builtin, xfstests, or the directory of a built xfstests tree';
const SUITE_PATCH = 'Give patches or mboxes for the xfstests tree';
const USERLAND = 'Give host, debian:SUITE, or the directory of another system';
const PACKAGE = 'Give the directory in which make built it, or debian:SUITE[=VERSION]';
const SYSCTL = 'Give settings, such as vm.dirty_ratio=5';
const POISON = 'Give ranges of bytes, such as 64M+4K';
const DEBUG = 'Give features, such as [kasan, lockdep]';
const VARIANTS = 'Give names with their changes, such as `base: []` and `v2: [v2.patch]`';
const CHANGES =
  'Give files: patches, mboxes or semantic patches (.cocci); [] is the unchanged kernel';
const VERDICT = `Give one of ${VERDICTS.join(', ')}`;
const EXPECT = 'Give a verdict for all cells, such as `expect: pass`, or `default` and `cells`';
const CUTS = 'Give true or false, or [false, true] to run each test both ways';
const CUT_OR_NOT = 'Give true or false; leave out the key to mean both';
const SELECTOR = 'Give a name or a list of names; leave out the key to mean all';

/** Accepts numbers too: `timeout: 90` is a number in YAML. */
function text(error: string) {
  return z.union([z.string().min(1), z.number().transform(String)], { error });
}

/** One value for all file systems, or a map of them. The result is always a map. */
function perFileSystem(error: string) {
  const each = text(error).optional();
  const forAll = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number'
      ? Object.fromEntries(FILE_SYSTEMS.map((fs) => [fs, value]))
      : value;
  return z
    .preprocess(forAll, z.strictObject({ ext2: each, ext4: each, xfs: each }, { error }))
    .meta({ or: { type: ['string', 'number'] } });
}

function device(description: string) {
  return z.boolean({ error: 'Give true or false' }).describe(description).optional();
}

const name = z.string({ error: SELECTOR }).min(1, { error: SELECTOR });
const selector = oneOrMore(name, SELECTOR).optional();
const verdict = z.enum(VERDICTS, { error: VERDICT });

const cellSchema = z.strictObject(
  {
    kernel: selector,
    variant: selector,
    fs: selector,
    test: selector,
    pmem: selector,
    'power-cut': z.boolean({ error: CUT_OR_NOT }).optional(),
    verdict,
    signature: z
      .string({ error: 'Give the signature of a finding, as `daxrepro fsck` prints it' })
      .regex(/^(e2fsck|xfs_repair|kernel|power-cut):[^\s:]\S*$/, {
        error:
          'A signature begins with e2fsck:, xfs_repair:, kernel: or power-cut:, and has no blanks; `daxrepro fsck LOG` prints the signatures of a log',
      })
      .optional(),
  },
  { error: 'Give a map, such as {variant: v2, fs: ext2, verdict: fail}' },
);

const expectSchema = z.strictObject(
  {
    default: verdict.optional(),
    cells: z.array(cellSchema, { error: 'Give a list of cells with their verdicts' }).optional(),
  },
  { error: EXPECT },
);

export const caseSchema = z.strictObject(
  {
    title: z
      .string({ error: 'Give one line of text' })
      .describe('the title of the report')
      .optional(),
    kernel: oneOrMore(z.string({ error: KERNEL }), KERNEL)
      .describe(
        'debian:6.1, debsrc:6.1, src:DIR[@REV], image:BZIMAGE[,MODULES-DIR], or host; several are compared side by side',
      )
      .optional(),
    suite: z
      .string({ error: SUITE })
      .min(1, { error: SUITE })
      .describe('builtin, xfstests, or the directory of a built xfstests tree, from this file')
      .optional(),
    'suite-patch': oneOrMore(
      z.string({ error: SUITE_PATCH }).min(1, { error: SUITE_PATCH }),
      SUITE_PATCH,
    )
      .describe('patches or mboxes for a copy of the xfstests tree, from this file')
      .optional(),
    variants: z
      .record(
        variantName,
        // An empty value is the unchanged kernel.
        z
          .preprocess(
            (value) => (typeof value === 'string' ? [value] : (value ?? [])),
            z.array(z.string({ error: CHANGES }).min(1, { error: CHANGES }), { error: CHANGES }),
          )
          .meta({ or: { type: ['string', 'null'] } }),
        { error: VARIANTS },
      )
      .describe('names, with patches, mboxes or .cocci; [] is the unchanged kernel'),
    filesystems: oneOrMore(
      z.enum(FILE_SYSTEMS, { error: `Use ${FILE_SYSTEMS.join(', ')}` }),
      `Give a list of ${FILE_SYSTEMS.join(', ')}`,
    ).describe('the tests to run'),
    tests: oneOrMore(z.string({ error: TESTS }), TESTS)
      .describe('ids')
      .optional(),
    groups: oneOrMore(z.string({ error: GROUPS }), GROUPS)
      .describe('run all tests of these groups')
      .optional(),
    pmem: oneOrMore(
      z.string({ error: 'Give a kind of persistent memory, such as memmap' }),
      'Give a kind of persistent memory, such as memmap',
    )
      .describe('memmap, nvdimm, virtio-pmem, none')
      .optional(),
    timeout: text('Give the time for each test, such as 90 or 5m')
      .describe('the time limit of each test')
      .optional(),
    for: text('Give a time, such as 60s')
      .describe('ends test files of your own, which then pass if nothing was found')
      .optional(),
    with: text('Give a directory').describe('that test files of your own get read-only').optional(),
    cpus: text('Give a number, such as 2').describe('processors of a guest').optional(),
    memory: text('Give a size, such as 4G').describe('memory of a guest').optional(),
    append: text('Give parameters on one line')
      .describe("further parameters for the guest's kernel command line")
      .optional(),
    sysctl: oneOrMore(z.string({ error: SYSCTL }).min(1, { error: SYSCTL }), SYSCTL)
      .describe('kernel settings of the guest: KEY=VALUE')
      .optional(),
    debug: oneOrMore(z.string({ error: DEBUG }).min(1, { error: DEBUG }), DEBUG)
      .describe('debugging features of kernels built from source')
      .optional(),
    partition: z
      .boolean({ error: 'Give true or false' })
      .describe('puts a partition table on the devices')
      .optional(),
    stack: text(`Give one of ${STACKS.join(', ')}`)
      .describe(
        'device mapper below the file systems: linear, stripe, log-writes; others with control',
      )
      .optional(),
    poison: oneOrMore(text(POISON), POISON)
      .describe('bytes of TEST_DEV that are marked bad during a test: OFFSET[+LENGTH]')
      .optional(),
    'log-device': device('external logs for xfs, external journals for ext4'),
    'rt-device': device('realtime devices for xfs'),
    logwrites: device('a device on which dm-log-writes records'),
    userland: text(USERLAND)
      .describe("the guest's programs: host, debian:SUITE, or a directory, from this file")
      .optional(),
    e2fsprogs: text(PACKAGE)
      .describe('e2fsprogs of the guest: a build tree, from this file, or debian:SUITE[=VERSION]')
      .optional(),
    xfsprogs: text(PACKAGE)
      .describe('xfsprogs of the guest: a build tree, from this file, or debian:SUITE[=VERSION]')
      .optional(),
    size: perFileSystem('Give a size, such as 256M, or one for each file system').optional(),
    'mkfs-opts': perFileSystem('Give options on one line, or a map of file systems').optional(),
    'mount-opts': perFileSystem('Give options on one line, or a map of file systems').optional(),
    'power-cut': oneOrMore(z.boolean({ error: CUTS }), CUTS)
      .describe(
        "cut the guests' power, and verify what survives; [false, true] runs each test both ways",
      )
      .optional(),
    control: z
      .boolean({ error: 'Give true or false' })
      .describe('with pmem none: mount without DAX, and prove that it is not in use')
      .optional(),
    expect: z
      .preprocess((value) => (typeof value === 'string' ? { default: value } : value), expectSchema)
      .meta({
        or: { enum: [...VERDICTS] },
        description: 'a verdict for all cells, or a default and cells; the last match counts',
      })
      .optional(),
  },
  { error: 'Give a map with at least `variants`, `filesystems` and `tests`' },
);

export type RawCase = z.infer<typeof caseSchema>;

/** The valid keys of the map at this path; undefined if any key is valid. */
export function knownKeys(path: readonly PropertyKey[]): string[] | undefined {
  if (path.length === 0) return Object.keys(caseSchema.shape);
  if (path.length === 1 && path[0] === 'expect') return Object.keys(expectSchema.shape);
  if (path[0] === 'expect' && path[1] === 'cells') return Object.keys(cellSchema.shape);
  return path.length === 1 ? [...FILE_SYSTEMS] : undefined;
}
