import { ACCELERATOR_CHOICES } from '../guest/accelerator.js';
import { STACKS } from '../guest/layers.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { z } from '../schema.js';
import { VARIANT_NAME } from '../variant/variant.js';

/**
 * The shape of daxrepro.yaml. Each error says what would be right. Editors show the descriptions:
 * docs/daxrepro.schema.json is generated from them.
 */

/** For the published schema: `a` and `[a]` mean the same. */
export const ALONE = { orAlone: true };

const listOf = (error: string) =>
  z
    .preprocess(
      (value) => (typeof value === 'string' ? [value] : value),
      z.array(z.string({ error }).min(1, { error }), { error }),
    )
    .meta(ALONE);
const oneOf = <Choice extends string>(choices: readonly [Choice, ...Choice[]]) =>
  z.enum(choices, { error: `Give one of ${choices.join(', ')}` });
const text = (error: string) => z.string({ error }).min(1, { error });
export const TESTS = 'Give tests, ranges or patterns, such as [generic/475, generic/001-010]';
const CHANGES = 'Give files: patches, mboxes or semantic patches (.cocci)';
const VARIANTS = 'Give names with their changes, such as `v2: v2.patch`';
/** Case files use it too. */
export const variantName = z.string().regex(VARIANT_NAME, {
  error: 'Names are letters, digits and . _ + -, at most 40, such as page-writeback-too',
});
const PACKAGE = 'Give the directory in which make built it, or debian:SUITE[=VERSION]';
const JOBS = 'Give a number of guests, 1 or more';

/** The keys that can also be set in the environment, as DAXREPRO_ and the name in capitals. */
const settings = {
  suite: text('Give builtin, xfstests, or the directory of a built xfstests tree').meta({
    description:
      'builtin, xfstests, or the directory of a built xfstests tree, relative to this file',
  }),
  'suite-patch': listOf('Give patches or mboxes for the xfstests tree').meta({
    description: 'patches or mboxes for a copy of the xfstests tree, relative to this file',
  }),
  kernel: text('Give a kernel, such as debian:6.1').meta({
    description: 'debian:6.1, debsrc:6.1, src:/DIR[@REV], image:/BZIMAGE[,MODULES-DIR], or host',
    examples: ['debian:6.12'],
  }),
  pmem: oneOf(PMEM_KINDS).meta({ description: 'how persistent memory is emulated' }),
  partition: z
    .boolean({ error: 'Give true or false' })
    .meta({ description: 'put a partition table on the devices' }),
  stack: oneOf(STACKS).meta({ description: 'device mapper below the file systems' }),
  userland: text('Give host, debian:SUITE or a directory').meta({
    description: "where the guest's programs come from: host, debian:SUITE, or a directory",
    examples: ['debian:trixie'],
  }),
  e2fsprogs: text(PACKAGE).meta({
    description: "the guest's e2fsprogs: a build tree, or debian:SUITE[=VERSION]",
    examples: ['~/src/e2fsprogs'],
  }),
  xfsprogs: text(PACKAGE).meta({
    description: "the guest's xfsprogs: a build tree, or debian:SUITE[=VERSION]",
    examples: ['debian:sid'],
  }),
  accel: oneOf(ACCELERATOR_CHOICES).meta({
    description: 'auto uses KVM if a guest boots under it, else emulation',
  }),
  out: text('Give a directory').meta({
    description: 'the directory in which each run makes its own directory',
  }),
  jobs: z.int({ error: JOBS }).min(1, { error: JOBS }).max(512, { error: JOBS }).meta({
    description: 'guests to run in parallel',
  }),
  timeout: z
    .union([z.string(), z.number()], { error: 'Give a time, such as 90 or 15m' })
    .meta({ description: 'time limit per test: seconds, or a number with s, m or h' }),
  together: z
    .boolean({ error: 'Give true or false' })
    .meta({ description: 'share guests among xfstests tests' }),
  expected: text('Give a file of expected failures').meta({
    description: 'a file of expected failures, with reasons',
  }),
  exclude: listOf(TESTS).meta({ description: 'tests, ranges or patterns to skip' }),
  'exclude-file': listOf('Give files with one test per line').meta({
    description: 'files with one test to skip per line',
  }),
  'exclude-group': listOf('Give groups, such as [dangerous]').meta({
    description: 'groups whose tests to skip',
  }),
};

export const configurationSchema = z
  .strictObject(
    {
      ...settings,
      variants: z.record(variantName, listOf(CHANGES), { error: VARIANTS }).meta({
        description: 'named changes to a kernel, for --variant NAME: patches, mboxes, .cocci files',
      }),
    },
    { error: 'Give a map, such as `suite: ~/xfstests`' },
  )
  .partial();

export type RawConfiguration = z.infer<typeof configurationSchema>;

/** The keys that have an option of the same name. */
export type SettingName = keyof typeof settings;
export const SETTING_NAMES = Object.keys(settings) as SettingName[];
