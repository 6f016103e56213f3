import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseLocatedYaml } from '../compare/located-yaml.js';
import { ACCELERATOR_CHOICES } from '../guest/accelerator.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { parseSpec } from '../kernel/spec.js';
import { parseSeconds } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { isTestWord } from '../suite/choose.js';
import { nearest } from '../suite/nearest.js';
import { findTree } from '../suite/xfstests/tree.js';

/**
 * What a project says once for all its runs, in a file `daxrepro.yaml` that is looked for from the
 * working directory upwards. Each key is called as the option is that it stands for, and the option
 * goes before it. Paths are relative to the file.
 */
export interface Configuration {
  file: string;
  /** By the names of the options, as the command line gives them. */
  values: Partial<Record<Key, string | string[] | boolean>>;
}

const listOf = (error: string) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(z.string({ error }).min(1, { error }), { error }),
  );
const oneOf = <Choice extends string>(choices: readonly [Choice, ...Choice[]]) =>
  z.enum(choices, { error: `Give one of ${choices.join(', ')}` });
const text = (error: string) => z.string({ error }).min(1, { error });
const TESTS = 'Give tests, ranges or patterns, such as [generic/475, generic/001-010]';

const schema = z
  .strictObject(
    {
      suite: text('Give builtin, xfstests, or the directory of a built xfstests tree'),
      kernel: text('Give a kernel, such as debian:6.1'),
      pmem: oneOf(PMEM_KINDS),
      accel: oneOf(ACCELERATOR_CHOICES),
      out: text('Give the directory for the directories of runs'),
      jobs: z
        .number({ error: 'Give a number of guests' })
        .refine((count) => Number.isInteger(count) && count > 0, {
          error: 'Give 1 or more guests',
        }),
      timeout: z.union([z.string(), z.number()], { error: 'Give a time, such as 90 or 15m' }),
      together: z.boolean({ error: 'Give true or false' }),
      expected: text('Give the file of expected failures'),
      exclude: listOf(TESTS),
      'exclude-file': listOf('Give files with a test on each line'),
      'exclude-group': listOf('Give groups, such as [dangerous]'),
    },
    { error: 'Give a map, such as `suite: ~/xfstests`' },
  )
  .partial();

type Raw = z.infer<typeof schema>;

/** As commander names the options. */
type Key = Exclude<keyof Raw, 'exclude-file' | 'exclude-group'> | 'excludeFile' | 'excludeGroup';

const KEYS = Object.keys(schema.shape);

/** What is wrong with the file is a usage error with its place. */
export async function readConfiguration(file: string): Promise<Outcome<Configuration>> {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    return failure(
      'usage',
      `The project's configuration cannot be read: ${(error as Error).message}`,
      'Make it readable, or move it away',
      { place: { file } },
    );
  }
  const yaml = parseLocatedYaml(file, content);
  if (!yaml.ok) return yaml;
  // A file of nothing but comments says nothing.
  const parsed = schema.safeParse(yaml.value.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue?.code === 'unrecognized_keys') {
      const [key = ''] = issue.keys;
      const near = nearest(key, KEYS);
      const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
      return failure(
        'usage',
        `There is no key ${JSON.stringify(key)} in a project's configuration`,
        `${hint}The keys are ${KEYS.join(', ')}`,
        { place: yaml.value.placeOfKey([], key) },
      );
    }
    const key = String(issue?.path[0] ?? '');
    const what = key === '' ? 'This is no configuration' : `${JSON.stringify(key)} cannot be this`;
    return failure('usage', what, issue?.message ?? '', {
      place: yaml.value.placeOf(issue?.path ?? []),
    });
  }
  const raw = parsed.data;
  const checked = await check(raw, dirname(file));
  if (!checked.ok) {
    const { key, message, remedy } = checked;
    return failure('usage', message, remedy, { place: yaml.value.placeOf(key) });
  }
  return success({ file, values: valuesOf(raw, dirname(file)) });
}

type Checked =
  | { ok: true }
  | { ok: false; key: readonly PropertyKey[]; message: string; remedy: string };

/** What is right by its shape, and may still name nothing. */
async function check(raw: Raw, base: string): Promise<Checked> {
  const wrong = (key: PropertyKey[], message: string, remedy: string): Checked => ({
    ok: false,
    key,
    // Keys are called as the options are, without the dashes.
    message: message.replace(/^--(?=[a-z])/, ''),
    remedy,
  });
  if (raw.suite !== undefined && raw.suite !== 'builtin' && raw.suite !== 'xfstests') {
    const tree = findTree(placed(raw.suite, base));
    if (!tree.ok) return wrong(['suite'], tree.failure.message, tree.failure.remedy);
  }
  if (raw.kernel !== undefined) {
    if (/^(?:src|image):(?!\/)/.test(raw.kernel)) {
      return wrong(['kernel'], 'The path of this kernel is relative', 'Give the whole path');
    }
    const spec = await parseSpec(raw.kernel);
    if (!spec.ok) return wrong(['kernel'], spec.failure.message, spec.failure.remedy);
  }
  if (raw.timeout !== undefined) {
    const time = parseSeconds(String(raw.timeout));
    if (!time.ok) return wrong(['timeout'], time.failure.message, time.failure.remedy);
  }
  const strange = raw.exclude?.findIndex((word) => !isTestWord(word)) ?? -1;
  return strange < 0
    ? { ok: true }
    : wrong(['exclude', strange], 'This is no test, range or pattern', TESTS);
}

function valuesOf(raw: Raw, base: string): Configuration['values'] {
  const { suite, out, jobs, timeout, expected, ...others } = raw;
  const { exclude, 'exclude-file': files, 'exclude-group': groups, ...plain } = others;
  const values: Record<Key, string | string[] | boolean | undefined> = {
    kernel: plain.kernel,
    pmem: plain.pmem,
    accel: plain.accel,
    together: plain.together,
    suite: suite === 'builtin' || suite === 'xfstests' ? suite : suite && placed(suite, base),
    out: out && placed(out, base),
    jobs: jobs?.toString(),
    timeout: timeout?.toString(),
    expected: expected && placed(expected, base),
    exclude,
    excludeFile: files?.map((file) => placed(file, base)),
    excludeGroup: groups,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** `~/x` is in the home directory, as a shell would have made of it. */
function placed(path: string, base: string): string {
  const home = process.env['HOME'];
  return path.startsWith('~/') && home ? resolve(home, path.slice(2)) : resolve(base, path);
}
