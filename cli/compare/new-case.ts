import { dirname, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { failure, type Outcome, success } from '../outcome.js';
import type { Case, PerFileSystem } from '../results/case.js';
import type { CompareUnit } from '../results/compare-result.js';
import type { SuiteChange } from '../suite/xfstests/overlay.js';
import { findTree } from '../suite/xfstests/tree.js';
import { isFileWord } from '../user-test/read.js';
import { plural } from '../words.js';

/** Writes what a comparison of the unchanged kernel and a fix showed as a case file. */

/** The two variants of such a case. */
export const BASE_AND_FIX = { base: 'base', fix: 'fix' } as const;

/** Why the units show no bug that the fix cures; undefined if they do. */
export function whyNoCase(units: readonly CompareUnit[]): Outcome<undefined> {
  const of = (variant: string) => units.filter((unit) => unit.variant === variant);
  const open = units.find(({ verdict }) => verdict === 'error' || verdict === 'invalid');
  if (open) {
    return failure(
      'tool-failed',
      `${open.variant} has no verdict on ${open.fs} ${open.test}: ${open.reason}`,
      'Solve that first; the case was not written',
    );
  }
  if (!of(BASE_AND_FIX.base).some(({ verdict }) => verdict === 'fail')) {
    return failure(
      'usage',
      'The unchanged kernel does not fail, so there is nothing that the fix could cure',
      'Choose the kernel, test and file system that show the bug; the case was not written',
    );
  }
  const broken = of(BASE_AND_FIX.fix).filter(({ verdict }) => verdict === 'fail');
  const [first] = broken;
  if (!first) return success(undefined);
  return failure(
    'usage',
    `With the fix, ${plural(broken.length, 'unit')} still ${broken.length === 1 ? 'fails' : 'fail'}: ${first.fs} ${first.test}: ${first.reason}`,
    'Correct the fix, or write the case by hand; the case was not written',
  );
}

/**
 * The case file's text. Paths become relative to it.
 *
 * @param file the case file's absolute path
 */
export function newCase(
  file: string,
  title: string,
  of: Case,
  units: readonly CompareUnit[],
): string {
  const from = (path: string) => relative(dirname(file), path);
  const { fix } = BASE_AND_FIX;
  const changes = of.variants.find(({ name }) => name === fix)?.changes ?? [];
  const { timeout, size, mkfsOpts, mountOpts, for: runFor, with: directory } = of.options;
  const { cpus, memory, append, sysctl, debug, logDevice, rtDevice, logwrites } = of.options;
  const { partition, stack, poison } = of.options;
  const document = {
    title,
    kernel: of.kernel,
    ...suiteFrom(of.suite, from),
    variants: { base: [], fix: changes.map(from) },
    filesystems: of.fileSystems,
    tests: of.tests.map((test) => testFrom(test, of.suite, from)),
    ...(of.pmem.join() === 'memmap' ? {} : { pmem: of.pmem }),
    ...(of.powerCut.includes(true) ? { 'power-cut': of.powerCut } : {}),
    ...defined({ timeout, cpus, memory, for: runFor, with: directory && from(directory) }),
    ...defined({ partition, stack, poison, append, sysctl, debug, logwrites }),
    ...defined({ 'log-device': logDevice, 'rt-device': rtDevice }),
    ...defined({ size: oneOrMap(size), 'mkfs-opts': oneOrMap(mkfsOpts) }),
    ...defined({ 'mount-opts': oneOrMap(mountOpts) }),
    expect: {
      default: 'pass',
      cells: units.flatMap((unit) => expectationOf(unit, (test) => testFrom(test, of.suite, from))),
    },
  };
  return stringify(document);
}

/** A word of a test file is relative to where it was typed. */
function testFrom(test: string, suite: string, from: (path: string) => string): string {
  const outside = changesOf(suite).find(
    (change) => change.type === 'file' && change.path === `tests/${test}`,
  );
  if (!isFileWord(test) && !outside) return test;
  const path = from(resolve(outside?.file ?? test));
  return path.startsWith('../') ? path : `./${path}`;
}

function suiteFrom(suite: string, from: (path: string) => string): Record<string, unknown> {
  if (suite === 'builtin') return {};
  const { of } = overlayOf(suite) ?? {};
  const patches = changesOf(suite).filter(({ type }) => type === 'patch');
  return {
    suite: suite === 'xfstests' ? suite : from(resolve(of ?? suite)),
    ...(patches.length > 0 ? { 'suite-patch': patches.map(({ file }) => from(file)) } : {}),
  };
}

function overlayOf(suite: string) {
  const tree = suite === 'builtin' ? undefined : findTree(suite);
  return tree?.ok ? tree.value.overlay : undefined;
}

function changesOf(suite: string): readonly SuiteChange[] {
  return overlayOf(suite)?.changes ?? [];
}

function oneOrMap(values: PerFileSystem | undefined): string | PerFileSystem | undefined {
  const different = new Set(Object.values(values ?? {}));
  return different.size === 1 ? [...different][0] : values;
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Of a unit that did not pass; with the finding that is most serious, if there is one. */
function expectationOf(
  { variant, fs, test, pmem, verdict, findings }: CompareUnit,
  name: (test: string) => string,
): Record<string, string>[] {
  if (verdict === 'pass') return [];
  const serious = findings.filter(({ severity }) => severity !== 'notice');
  const worst = serious.find(({ severity }) => severity === 'corruption') ?? serious[0];
  const cell = { variant, fs, test: name(test), pmem, verdict };
  return [verdict === 'fail' && worst ? { ...cell, signature: worst.signature } : cell];
}
