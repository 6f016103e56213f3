import { ACCELERATOR_CHOICES } from '../guest/accelerator.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { z } from '../schema.js';
import { VARIANT_NAME } from '../variant/variant.js';

/**
 * The shape of daxrepro.yaml. Each error is the sentence that says what would be right, each
 * description what an editor shows: docs/daxrepro.schema.json is made from it.
 */

/** For the published schema: `a` and `[a]` are the same. */
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
/** Case files have them, too. */
export const variantName = z.string().regex(VARIANT_NAME, {
  error: 'Names are letters, digits and . _ + -, at most 40, such as page-writeback-too',
});
const JOBS = 'Give a number of guests, 1 or more';

/** What can be said in the environment, too: DAXREPRO_ and the name, in capitals. */
const settings = {
  suite: text('Give builtin, xfstests, or the directory of a built xfstests tree').meta({
    description: 'builtin, xfstests, or the directory of a built xfstests tree, from this file',
  }),
  kernel: text('Give a kernel, such as debian:6.1').meta({
    description: 'debian:6.1, debsrc:6.1, src:/DIR[@REV], image:/BZIMAGE[,MODULES-DIR], or host',
    examples: ['debian:6.12'],
  }),
  pmem: oneOf(PMEM_KINDS).meta({ description: 'how persistent memory is emulated' }),
  accel: oneOf(ACCELERATOR_CHOICES).meta({
    description: 'auto takes KVM where a guest really runs under it',
  }),
  out: text('Give the directory for the directories of runs').meta({
    description: 'where the directories of runs go',
  }),
  jobs: z.int({ error: JOBS }).min(1, { error: JOBS }).max(512, { error: JOBS }).meta({
    description: 'guests at a time',
  }),
  timeout: z
    .union([z.string(), z.number()], { error: 'Give a time, such as 90 or 15m' })
    .meta({ description: 'for each test: seconds, or a number with s, m or h' }),
  together: z
    .boolean({ error: 'Give true or false' })
    .meta({ description: 'tests of xfstests share guests' }),
  expected: text('Give the file of expected failures').meta({
    description: 'a file of failures that are expected, with reasons',
  }),
  exclude: listOf(TESTS).meta({ description: 'tests, ranges or patterns that are left out' }),
  'exclude-file': listOf('Give files with a test on each line').meta({
    description: 'files with a test to leave out on each line',
  }),
  'exclude-group': listOf('Give groups, such as [dangerous]').meta({
    description: 'groups whose tests are left out',
  }),
};

export const configurationSchema = z
  .strictObject(
    {
      ...settings,
      variants: z.record(variantName, listOf(CHANGES), { error: VARIANTS }).meta({
        description: 'changes to a kernel by name, for --variant NAME: patches, mboxes, .cocci',
      }),
    },
    { error: 'Give a map, such as `suite: ~/xfstests`' },
  )
  .partial();

export type RawConfiguration = z.infer<typeof configurationSchema>;

/** The keys of the file that stand for an option of the same name. */
export type SettingName = keyof typeof settings;
export const SETTING_NAMES = Object.keys(settings) as SettingName[];
