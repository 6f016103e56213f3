import { basename } from 'node:path';
import { FILE_SYSTEMS } from '../file-systems.js';
import { PMEM_KINDS } from '../guest/machine.js';
import { compareVersions } from '../kernel-version.js';
import { parseLocatedYaml } from '../located-yaml.js';
import { readOptionFile } from '../option-file.js';
import { failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { isTestWord, means } from './choose.js';
import type { KernelVersions } from './conditions.js';
import { isTestList, readTestList } from './test-list.js';

/**
 * A file of expected failures, so that new failures stand out. Each entry gives a reason, and may be
 * limited to some runs. If it names a signature, a failure with other findings is not expected.
 *
 *     - test: generic/475            # or a range, or a pattern
 *       reason: waits for the fix of …
 *       fs: [ext4, xfs]
 *       kernel: ">= 5.10, < 6.2"
 *       pmem: memmap
 *       signature: e2fsck:directory-inode-block-offset-directory-corrupted
 */
export interface ExpectedFailure {
  test: string;
  reason: string;
  fs?: readonly string[] | undefined;
  kernel?: KernelRange | undefined;
  pmem?: readonly string[] | undefined;
  signature?: string | undefined;
}

/** All conditions must hold. */
type KernelRange = readonly { operator: '<' | '<=' | '>' | '>=' | '='; version: string }[];

const oneOrMore = <Choice extends string>(choices: readonly Choice[]) => {
  const error = `Give one of ${choices.join(', ')}, or a list of them`;
  const choice = z.enum(choices as readonly [Choice, ...Choice[]], { error });
  return z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(choice, { error }).min(1, { error }),
  );
};

const KERNEL = 'Give conditions such as "< 6.2" or ">= 5.10, < 6.2"';

const kernelRange = z.string({ error: KERNEL }).transform((text, context): KernelRange => {
  const conditions = text.split(',').map((part) => {
    const [, operator, version] = /^\s*(<=?|>=?|=)\s*(\d+(?:\.\d+)*)\s*$/.exec(part) ?? [];
    return operator && version
      ? { operator: operator as KernelRange[number]['operator'], version }
      : undefined;
  });
  if (conditions.includes(undefined)) context.addIssue({ code: 'custom', message: KERNEL });
  return conditions.filter((condition) => condition !== undefined);
});

const SHAPE = 'Give a list of entries, each with `test` and `reason`';
const TEST = 'Give a test, a range or a pattern, such as generic/475 or generic/001-010';
const REASON = 'Say why it fails, in one line';

const schema = z.array(
  z.strictObject(
    {
      test: z.string({ error: TEST }).refine(isTestWord, { error: TEST }),
      reason: z.string({ error: REASON }).regex(/\S/, { error: REASON }),
      fs: oneOrMore(FILE_SYSTEMS).optional(),
      kernel: kernelRange.optional(),
      pmem: oneOrMore(PMEM_KINDS).optional(),
      signature: z
        .string({ error: 'Give the signature of a finding, as `daxrepro fsck` prints it' })
        .regex(/^(e2fsck|xfs_repair|kernel):\S+$/, {
          error: 'A signature begins with e2fsck:, xfs_repair: or kernel:, and has no blanks',
        })
        .optional(),
    },
    { error: SHAPE },
  ),
  { error: SHAPE },
);

/** Mistakes in the file are usage errors with their place. */
export function readExpectedFailures(
  file: string,
  kernel?: KernelVersions | undefined,
): Outcome<ExpectedFailure[]> {
  const text = readOptionFile('--expected', file, SHAPE);
  if (!text.ok) return text;
  if (isTestList(text.value)) return listedFailures(file, text.value, kernel);
  const yaml = parseLocatedYaml(file, text.value);
  if (!yaml.ok) return yaml;
  // A file of nothing but comments expects nothing.
  const parsed = schema.safeParse(yaml.value.value ?? []);
  if (parsed.success) return success(parsed.data);
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return failure(
      'usage',
      `Unknown key "${key}" in an expected failure`,
      'Valid keys are test, reason, fs, kernel, pmem and signature',
      { place: yaml.value.placeOfKey(issue.path, key) },
    );
  }
  return failure(
    'usage',
    'This entry of an expected failure is not valid',
    issue?.message ?? SHAPE,
    {
      place: yaml.value.placeOf(issue?.path ?? []),
    },
  );
}

/** A list of another program (test-list.ts): its comments are the reasons. */
function listedFailures(
  file: string,
  text: string,
  kernel: KernelVersions | undefined,
): Outcome<ExpectedFailure[]> {
  const listed = readTestList(file, text, kernel);
  if (!listed.ok) return listed;
  const group = listed.value.find((one) => one.group !== undefined);
  if (group) {
    return failure(
      'usage',
      `"-g ${group.group}" stands for a group: which of its tests fail is not known`,
      'List the tests that fail, or leave the group out with --exclude-group',
      { place: group.place },
    );
  }
  return success(
    listed.value.flatMap(({ word, comment }) =>
      word === undefined ? [] : [{ test: word, reason: comment || `listed in ${basename(file)}` }],
    ),
  );
}

/** Says that a unit was expected to fail. It does not change the verdict. */
export interface UnitExpectation {
  reason: string;
  /** Whether the unit failed as expected, with the given signature. */
  held: boolean;
}

/** The parts of a unit's result that expectations refer to. */
export interface RunUnit {
  test: string;
  fs: string;
  pmem: string;
  kernel: { release: string };
  verdict: string;
  findings: readonly { signature: string }[];
}

/** The first matching entry that holds, or else the first match. undefined if no entry matches. */
export function expectationFor(
  unit: RunUnit,
  entries: readonly ExpectedFailure[],
): UnitExpectation | undefined {
  const expectations = entries
    .filter((entry) => applies(entry, unit))
    .map(({ reason, signature }) => ({
      reason,
      held:
        unit.verdict === 'fail' &&
        (signature === undefined ||
          unit.findings.some((finding) => finding.signature === signature)),
    }));
  return expectations.find(({ held }) => held) ?? expectations[0];
}

function applies({ test, fs, kernel, pmem }: ExpectedFailure, unit: RunUnit): boolean {
  return (
    means(test, unit.test) &&
    (fs?.includes(unit.fs) ?? true) &&
    (pmem?.includes(unit.pmem) ?? true) &&
    (kernel?.every((condition) => isWithin(unit.kernel.release, condition)) ?? true)
  );
}

/** 6.1.192 satisfies `= 6.1`, not `> 6.1`. A release without a number satisfies nothing. */
function isWithin(release: string, { operator, version }: KernelRange[number]): boolean {
  const order = compareVersions(release, version);
  if (order === undefined) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
  }
}
