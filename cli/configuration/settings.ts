import { resolve } from 'node:path';
import { PACKAGES } from '../guest/packages.js';
import { parseSpec } from '../kernel/spec.js';
import { parseSeconds } from '../options.js';
import { failure, type Outcome, type Place } from '../outcome.js';
import type { z } from '../schema.js';
import { isTestWord } from '../suite/choose.js';
import { findTree } from '../suite/xfstests/tree.js';
import { checkUserlandOption } from '../userland/choose.js';
import { checkPackageOption } from '../userland/package-option.js';
import { type RawConfiguration, type SettingName, TESTS } from './schema.js';

/** Values of options by name, from the environment or the project's file. */

/** The value as on the command line, with absolute paths. */
export type SettingValue = string | string[] | boolean;

export type Source =
  | { type: 'environment'; variable: string }
  /** A line of the project's daxrepro.yaml. */
  | { type: 'file'; place: Place };

export interface Setting {
  value: SettingValue;
  source: Source;
}

export type Settings = Partial<Record<SettingName, Setting>>;

export type Checked =
  | { ok: true }
  | { ok: false; path: readonly PropertyKey[]; message: string; remedy: string };

/** Explains the first error in the shape. */
export function explainIssue(issue: z.core.$ZodIssue | undefined): Checked & { ok: false } {
  const path = issue?.path ?? [];
  if (issue?.code === 'invalid_key') {
    const message = `${JSON.stringify(String(path.at(-1)))} is not a valid variant name`;
    return { ok: false, path, message, remedy: issue.issues[0]?.message ?? '' };
  }
  const key = String(path.findLast((part) => typeof part === 'string') ?? '');
  const message =
    key === '' ? 'This is not a configuration' : `${JSON.stringify(key)} has a wrong value`;
  return { ok: false, path, message, remedy: issue?.message ?? '' };
}

/** Checks values of the right shape: whether they name things that exist. */
export async function checkSettings(raw: RawConfiguration, base: string): Promise<Checked> {
  const wrong = (
    path: PropertyKey[],
    { failure }: { failure: { message: string; remedy: string } },
  ): Checked => ({
    ok: false,
    path,
    // A key has the option's name without the dashes.
    message: failure.message.replace(/^--(?=[a-z])/, ''),
    remedy: failure.remedy,
  });
  if (raw.suite !== undefined && raw.suite !== 'builtin' && raw.suite !== 'xfstests') {
    const tree = findTree(placed(raw.suite, base));
    if (!tree.ok) return wrong(['suite'], tree);
  }
  if (raw.kernel !== undefined) {
    const spec = await kernelOf(raw.kernel);
    if (!spec.ok) return wrong(['kernel'], spec);
  }
  if (raw.userland !== undefined) {
    const path = raw.userland.includes('/') ? placed(raw.userland, base) : raw.userland;
    const userland = checkUserlandOption(path);
    if (!userland.ok) return wrong(['userland'], userland);
  }
  for (const name of PACKAGES) {
    const checked = checkPackageOption(name, packagePlace(raw[name], base));
    if (!checked.ok) return wrong([name], checked);
  }
  if (raw.timeout !== undefined) {
    const time = parseSeconds(String(raw.timeout));
    if (!time.ok) return wrong(['timeout'], time);
  }
  const strange = raw.exclude?.findIndex((word) => !isTestWord(word)) ?? -1;
  if (strange < 0) return { ok: true };
  const message = 'This is not a test, range or pattern';
  return { ok: false, path: ['exclude', strange], message, remedy: TESTS };
}

async function kernelOf(spec: string): Promise<Outcome<unknown>> {
  if (!/^(?:src|image):(?!\/)/.test(spec)) return parseSpec(spec);
  return failure('usage', 'The path of this kernel is relative', 'Give an absolute path');
}

/** The values in the form of the options. */
export function valuesOf(
  raw: RawConfiguration,
  base: string,
): Partial<Record<SettingName, SettingValue>> {
  const { variants: _, suite, userland, out, jobs, timeout, expected, ...plain } = raw;
  const values = {
    ...plain,
    suite: suite === 'builtin' || suite === 'xfstests' ? suite : suite && placed(suite, base),
    userland: userland?.includes('/') ? placed(userland, base) : userland,
    e2fsprogs: packagePlace(plain.e2fsprogs, base),
    xfsprogs: packagePlace(plain.xfsprogs, base),
    out: out && placed(out, base),
    jobs: jobs?.toString(),
    timeout: timeout?.toString(),
    expected: expected && placed(expected, base),
    'suite-patch': plain['suite-patch']?.map((file) => placed(file, base)),
    'exclude-file': plain['exclude-file']?.map((file) => placed(file, base)),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function packagePlace(text: string | undefined, base: string): string | undefined {
  return text === undefined || text.startsWith('debian:') ? text : placed(text, base);
}

/** Expands `~/x` as a shell would, and resolves relative paths. */
export function placed(path: string, base: string): string {
  const home = process.env['HOME'];
  return path.startsWith('~/') && home ? resolve(home, path.slice(2)) : resolve(base, path);
}
