import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileSystem } from '../file-systems.js';
import { PMEM_KINDS, type PmemKind } from '../guest/machine.js';
import { parseSpec } from '../kernel/spec.js';
import { type LocatedYaml, type Path, parseLocatedYaml } from '../located-yaml.js';
import { nearest } from '../nearest.js';
import { failure, type Outcome, type Place, success } from '../outcome.js';
import type { OverlayContext } from '../overlay/make.js';
import { overlaySuite } from '../overlay/overlay.js';
import {
  type Case,
  type CaseOptions,
  type CellExpectation,
  cellNames,
  type PerFileSystem,
  type RowsOf,
} from '../results/case.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { checkRequest } from '../run/request.js';
import type { RunOptions } from '../run/run-options.js';
import type { z } from '../schema.js';
import { defaultStore } from '../store/store.js';
import { findTree } from '../suite/xfstests/tree.js';
import { whyUnreadable } from '../variant/named.js';
import { checkKernels, kernelsOfCase } from './case-kernels.js';
import { caseSchema, knownKeys, type RawCase } from './case-schema.js';
import { selects } from './expectations.js';
import { testsFor } from './tests.js';

/** Options that override the file, or apply where the file is silent. */
export interface CaseSettings {
  kernel?: readonly string[] | undefined;
  suite?: string | undefined;
  /** Relative to the working directory. */
  suitePatch?: string[] | undefined;
  pmem?: string[] | undefined;
  partition?: boolean | undefined;
  stack?: string | undefined;
  timeout?: string | undefined;
}

/**
 * Reads a case file. Each mistake in it is a usage error with its place in the file.
 *
 * @param open values for what the file leaves open
 */
export async function readCaseFile(
  file: string,
  overrides: CaseSettings = {},
  open: CaseSettings = {},
  context: OverlayContext = { store: defaultStore(), progress: () => {} },
): Promise<Outcome<Case>> {
  const problem = whyUnreadable(file);
  if (problem !== undefined) {
    return failure('unreadable', `The case ${problem}`, 'Name a case file (YAML)', {
      place: { file },
    });
  }
  const text = readFileSync(file, 'utf8');
  const yaml = parseLocatedYaml(file, text);
  if (!yaml.ok) return yaml;
  const raw = caseSchema.safeParse(yaml.value.value);
  if (!raw.success) return explainShape(raw.error.issues, yaml.value);
  const named = readSuite(raw.data, file, yaml.value, overrides.suite, open.suite);
  if (!named.ok) return named;
  const how = { suite: named.value, overrides, open, context };
  const overlaid = await withOverlay(raw.data, file, yaml.value, how);
  if (!overlaid.ok) return overlaid;
  const { suite, own } = overlaid.value;
  const checked = checkCase(own, file, yaml.value, suite, { overrides, open });
  if (!checked.ok) return checked;
  const given = checked.value;
  const words = overrides.kernel === undefined ? (raw.data.kernel ?? []) : [];
  for (const [index, word] of words.entries()) {
    const spec = await parseSpec(word);
    if (!spec.ok) return at(spec, yaml.value.placeOf(['kernel', index]));
  }
  return success({
    ...given,
    options: {
      ...given.options,
      timeout: overrides.timeout ?? given.options.timeout ?? open.timeout,
      partition: given.options.partition ?? open.partition,
      stack: given.options.stack ?? open.stack,
    },
  });
}

/** The suite with the patches and tests that the case adds, and the case with the ids of those tests. */
async function withOverlay(
  raw: RawCase,
  file: string,
  yaml: LocatedYaml,
  { suite, overrides, open, context }: Overlaid,
): Promise<Outcome<{ suite: string; own: RawCase }>> {
  const from = dirname(resolve(file));
  const written = raw['suite-patch']?.map((patch) => resolve(from, patch));
  const patches = overrides.suitePatch ?? written ?? open.suitePatch;
  const words = raw.tests ?? [];
  const overlaid = await overlaySuite({ suite, patches, words, from }, context);
  if (!overlaid.ok) {
    const { place } = overlaid.failure;
    return place
      ? overlaid
      : at(overlaid, yaml.placeOf([raw['suite-patch'] ? 'suite-patch' : 'tests']));
  }
  const ids = new Map(words.map((word, index) => [word, overlaid.value.words[index] ?? word]));
  const renamed = (names: string[]) => names.map((name) => ids.get(name) ?? name);
  const cells = raw.expect?.cells?.map((cell) =>
    cell.test ? { ...cell, test: renamed(cell.test) } : cell,
  );
  const own = {
    ...raw,
    ...(raw.tests ? { tests: renamed(raw.tests) } : {}),
    ...(cells ? { expect: { ...raw.expect, cells } } : {}),
  };
  return success({ suite: overlaid.value.suite, own });
}

interface Overlaid {
  suite: string;
  overrides: CaseSettings;
  open: CaseSettings;
  context: OverlayContext;
}

/** Adds the place in the case file to a failure. */
function at<Failed extends { ok: false; failure: { message: string; remedy: string } }>(
  { failure: failed }: Failed,
  place: Place,
) {
  // Keys of a case file have the names of the options, without the dashes.
  const message = failed.message.replace(/^--(?=[a-z])/, '');
  return failure('usage', message, failed.remedy, { place });
}

function explainShape(issues: readonly z.core.$ZodIssue[], yaml: LocatedYaml): Outcome<never> {
  // Report a misspelt key first: it explains why another key is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? firstOf(issues, yaml);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = knownKeys(issue.path) ?? [];
    const near = nearest(key, known);
    return failure(
      'usage',
      `Unknown key ${JSON.stringify(key)} in the case file`,
      `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}Valid keys here: ${known.join(', ')}`,
      { place: yaml.placeOfKey(issue.path, key) },
    );
  }
  const key = issue.path.findLast((part) => typeof part === 'string') ?? '';
  if (issue.code === 'invalid_key') {
    return failure(
      'usage',
      `${JSON.stringify(key)} is not a valid variant name`,
      issue.issues[0]?.message ?? '',
      { place: yaml.placeOfKey(issue.path.slice(0, -1), String(key)) },
    );
  }
  const value = valueAt(yaml.value, issue.path);
  const what = issue.path.length === 0 ? 'The case' : JSON.stringify(key);
  const message = value === undefined ? `${what} is missing` : `${what} cannot be ${show(value)}`;
  const empty = value === null ? `${what} is empty` : message;
  return failure('usage', empty, issue.message, {
    place: value === null ? placeOfName(yaml, issue.path) : yaml.placeOf(issue.path),
  });
}

function placeOfName(yaml: LocatedYaml, path: Path): Place {
  const key = path.at(-1);
  return typeof key === 'string' ? yaml.placeOfKey(path.slice(0, -1), key) : yaml.placeOf(path);
}

/** The issue with the first place in the file. */
function firstOf(issues: readonly z.core.$ZodIssue[], yaml: LocatedYaml): z.core.$ZodIssue {
  const order = (issue: z.core.$ZodIssue) => {
    const { line = 0, column = 0 } = yaml.placeOf(issue.path);
    return line * 1e6 + column;
  };
  return [...issues].sort((a, b) => order(a) - order(b))[0] as z.core.$ZodIssue;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const part of path) {
    // A single name stands for a list of one, or for `default`.
    if (typeof found === 'string' || typeof found === 'number') return found;
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[part];
  }
  return found;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

/** Checks the values of a case whose shape is right. */
function checkCase(
  raw: RawCase,
  file: string,
  yaml: LocatedYaml,
  suite: string,
  { overrides, open }: { overrides: CaseSettings; open: CaseSettings },
): Outcome<Case> {
  const wrong = (path: Path, message: string, remedy: string) =>
    failure('usage', message, remedy, { place: yaml.placeOf(path) });

  for (const key of ['kernel', 'filesystems', 'tests', 'groups', 'pmem', 'power-cut'] as const) {
    const list: readonly (string | boolean)[] = raw[key] ?? [];
    const twice = list.findIndex((item, index) => list.indexOf(item) < index);
    if (twice >= 0) {
      return wrong([key, twice], `${list[twice]} is listed twice`, 'Leave out one of them');
    }
  }
  const variants = readVariants(raw, file, yaml);
  if (!variants.ok) return variants;
  const tests = readTests(raw, file, yaml, suite);
  if (!tests.ok) return tests;
  const pmem = raw.pmem ?? open.pmem ?? [RUN_DEFAULTS.pmem];
  const unknown = pmem.findIndex((kind) => !(PMEM_KINDS as readonly string[]).includes(kind));
  if (unknown >= 0) {
    const what = `There is no kind of persistent memory ${JSON.stringify(pmem[unknown])}`;
    return wrong(['pmem', unknown], what, `Use ${PMEM_KINDS.join(', ')}`);
  }
  const options = readOptions(raw, file, yaml, { test: tests.value[0] ?? '', suite });
  if (!options.ok) return options;
  const cells = {
    variants: variants.value,
    fileSystems: raw.filesystems,
    tests: tests.value,
    pmem: pmem as PmemKind[],
    powerCut: raw['power-cut'] ?? [false],
  };
  const own = raw.kernel ?? open.kernel ?? [RUN_DEFAULTS.kernel];
  const kernels = checkKernels(overrides.kernel ?? own);
  if (!kernels.ok) return kernels;
  // An override may leave out kernels that expectations name.
  const expectations = readExpectations(raw, { ...cells, ...kernelsOfCase(own) }, yaml);
  if (!expectations.ok) return expectations;
  return success({
    file,
    title: raw.title ?? null,
    ...kernelsOfCase(kernels.value),
    suite,
    ...cells,
    options: options.value,
    expectations: expectations.value,
  });
}

function readVariants(raw: RawCase, file: string, yaml: LocatedYaml): Outcome<Case['variants']> {
  const names = Object.keys(raw.variants);
  if (names.length === 0) {
    return failure('usage', 'No variant is named', 'Name at least one, such as `base: []`', {
      place: yaml.placeOf(['variants']),
    });
  }
  const base = dirname(resolve(file));
  const variants = names.map((name) => ({
    name,
    changes: (raw.variants[name] ?? []).map((change) => resolve(base, change)),
  }));
  for (const { name, changes } of variants) {
    for (const [index, change] of changes.entries()) {
      const problem = whyUnreadable(change);
      if (problem === undefined) continue;
      const written = raw.variants[name]?.[index];
      return failure(
        'usage',
        `${written}, a change of ${name}, ${problem}`,
        'Give a patch, an mbox or a .cocci file; paths are relative to the case file',
        { place: yaml.placeOf(['variants', name, index]) },
      );
    }
  }
  return success(variants);
}

/** The requested suite. A directory is relative to the case file. */
function readSuite(
  raw: RawCase,
  file: string,
  yaml: LocatedYaml,
  override: string | undefined,
  open: string | undefined,
): Outcome<string> {
  const asked = override ?? raw.suite ?? open ?? RUN_DEFAULTS.suite;
  if (asked === 'builtin') return success(asked);
  const isName = asked === 'xfstests' || override !== undefined || raw.suite === undefined;
  const tree = findTree(isName ? asked : resolve(dirname(resolve(file)), asked));
  if (tree.ok) return success(asked === 'xfstests' ? asked : tree.value.directory);
  return override === undefined ? at(tree, yaml.placeOf(['suite'])) : tree;
}

function readTests(
  raw: RawCase,
  file: string,
  yaml: LocatedYaml,
  suite: string,
): Outcome<string[]> {
  const choose = (ids: string[], groups: string[]) =>
    testsFor(raw.filesystems, { ids, groups }, suite, dirname(resolve(file)));
  for (const key of ['tests', 'groups'] as const) {
    for (const [index, name] of (raw[key] ?? []).entries()) {
      const found = key === 'tests' ? choose([name], []) : choose([], [name]);
      if (!found.ok) return at(found, yaml.placeOf([key, index]));
    }
  }
  const { tests: ids = [], groups = [] } = raw;
  if (ids.length + groups.length === 0) {
    return failure('usage', 'No test is named', 'Add `tests: [generic/002]` or `groups: [dax]`', {
      place: yaml.placeOf([]),
    });
  }
  return choose(ids, groups);
}

/** Checks the options one by one, as those of `run`, so that each error has its place. */
function readOptions(
  raw: RawCase,
  file: string,
  yaml: LocatedYaml,
  { test, suite }: { test: string; suite: string },
): Outcome<CaseOptions> {
  const testsFrom = dirname(resolve(file));
  const placed = placedBy(testsFrom);
  const directories = {
    with: raw.with === undefined ? undefined : resolve(testsFrom, raw.with),
    userland: placed(raw.userland),
    e2fsprogs: placed(raw.e2fsprogs),
    xfsprogs: placed(raw.xfsprogs),
  };
  const keys = [
    ['timeout', 'timeout'],
    ['size', 'size'],
    ['mkfs-opts', 'mkfsOpts'],
    ['mount-opts', 'mountOpts'],
    ['for', 'for'],
    ['cpus', 'cpus'],
    ['memory', 'memory'],
    ['append', 'append'],
    ['sysctl', 'sysctl'],
    ['partition', 'partition'],
    ['stack', 'stack'],
    ['poison', 'poison'],
    ['log-device', 'logDevice'],
    ['rt-device', 'rtDevice'],
    ['with', 'with'],
    ['userland', 'userland'],
    ['e2fsprogs', 'e2fsprogs'],
    ['xfsprogs', 'xfsprogs'],
  ] as const;
  for (const [key, option] of keys) {
    for (const fs of raw.filesystems) {
      const value = valueFor({ ...raw, ...directories }[key], fs);
      if (value === undefined) continue;
      const usual: RunOptions = { ...RUN_DEFAULTS, suite, testsFrom };
      const options = { ...usual, control: raw.control === true, [option]: value };
      const checked = checkRequest(fs, [test], options);
      if (!checked.ok) return at(checked, yaml.placeOf([key, fs]));
    }
  }
  return success({
    timeout: raw.timeout,
    size: raw.size,
    mkfsOpts: raw['mkfs-opts'],
    mountOpts: raw['mount-opts'],
    control: raw.control,
    for: raw.for,
    cpus: raw.cpus,
    memory: raw.memory,
    append: raw.append,
    sysctl: raw.sysctl,
    debug: raw.debug,
    partition: raw.partition,
    stack: raw.stack,
    poison: raw.poison,
    logDevice: raw['log-device'],
    rtDevice: raw['rt-device'],
    logwrites: raw.logwrites,
    ...directories,
    testsFrom,
  });
}

/** Directories of the file are relative to it. */
const placedBy = (from: string) => (text: string | undefined) =>
  text === undefined || text === 'host' || text.startsWith('debian:') ? text : resolve(from, text);

function valueFor(
  value: string | boolean | string[] | PerFileSystem | undefined,
  fs: FileSystem,
): string | boolean | string[] | undefined {
  return typeof value === 'object' && !Array.isArray(value) ? value[fs] : value;
}

function readExpectations(
  raw: RawCase,
  cells: CaseCells,
  yaml: LocatedYaml,
): Outcome<CellExpectation[]> {
  const listed = raw.expect?.cells ?? [];
  const own: CellExpectation[] = [];
  for (const [index, cell] of listed.entries()) {
    const checked = checkCell(cell, index, cells, yaml);
    if (!checked.ok) return checked;
    own.push(checked.value);
  }
  const unused = firstUnused(own, cells);
  if (unused !== undefined) {
    return failure(
      'usage',
      'This expectation applies to no cell: later ones cover all of its cells',
      'Remove it, or move the more specific one to the end',
      { place: yaml.placeOf(['expect', 'cells', unused]) },
    );
  }
  const usual = raw.expect?.default;
  return success([...(usual ? [{ cells: {}, expected: { verdict: usual } }] : []), ...own]);
}

/** What the expectations of a case choose from. */
type CaseCells = Pick<Case, 'kernel' | 'kernels' | 'variants' | RowsOf>;

type RawCell = NonNullable<NonNullable<RawCase['expect']>['cells']>[number];

function checkCell(
  cell: RawCell,
  index: number,
  cells: CaseCells,
  yaml: LocatedYaml,
): Outcome<CellExpectation> {
  const place = (...path: (string | number)[]) => ({
    place: yaml.placeOf(['expect', 'cells', index, ...path]),
  });
  const stranger = strangerIn(cell, cells);
  if (stranger) {
    const { key, at, name, known } = stranger;
    const near = nearest(name, known);
    return failure(
      'usage',
      `This case has no ${WORDS[key]} ${JSON.stringify(name)}`,
      `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}It has ${known.join(', ')}`,
      place(key, at),
    );
  }
  const cut = cell['power-cut'];
  if (cut !== undefined && !cells.powerCut.includes(cut)) {
    return failure(
      'usage',
      `This case has no cell ${cut ? 'with' : 'without'} power cuts`,
      'Write `power-cut: [false, true]` at its top, or leave the key out here',
      place('power-cut'),
    );
  }
  const { verdict, signature } = cell;
  if (signature !== undefined && verdict !== 'fail') {
    return failure(
      'usage',
      `This cell is expected to be ${verdict}, and has a signature`,
      'Only a failing cell can have a signature: leave it out, or expect fail',
      place('signature'),
    );
  }
  return success({
    cells: {
      kernels: cell.kernel,
      variants: cell.variant,
      fileSystems: cell.fs,
      tests: cell.test,
      pmem: cell.pmem,
      powerCut: cut,
    },
    expected: { verdict, ...(signature === undefined ? {} : { signature }) },
  });
}

/** The first name in a cell that is unknown in the case. */
function strangerIn(cell: RawCell, cells: CaseCells) {
  const names = {
    kernel: cells.kernels ?? [cells.kernel],
    variant: cells.variants.map(({ name }) => name),
    fs: cells.fileSystems,
    test: cells.tests,
    pmem: cells.pmem,
  } as const;
  for (const key of ['kernel', 'variant', 'fs', 'test', 'pmem'] as const) {
    const known: readonly string[] = names[key];
    const at = cell[key]?.findIndex((name) => !known.includes(name)) ?? -1;
    if (at >= 0) return { key, at, name: cell[key]?.[at] ?? '', known };
  }
  return undefined;
}

/** The first expectation whose cells are all covered by later ones. */
function firstUnused(
  expectations: readonly CellExpectation[],
  cells: CaseCells,
): number | undefined {
  const all = cellNames(cells).map((cell) => ({ ...cell, kernel: cell.kernel ?? cells.kernel }));
  const index = expectations.findIndex((own, at) => {
    const later = expectations.slice(at + 1);
    return !all.some(
      (cell) => selects(own.cells, cell) && !later.some((other) => selects(other.cells, cell)),
    );
  });
  return index < 0 ? undefined : index;
}

const WORDS = {
  kernel: 'kernel',
  variant: 'variant',
  fs: 'file system',
  test: 'test',
  pmem: 'pmem kind',
} as const;
