import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import type { DeviceOption } from '../guest/additional-devices.js';
import { guestScripts } from '../guest/manifest.js';
import { nearest } from '../nearest.js';
import { failure, type Outcome, success } from '../outcome.js';

/**
 * The bundled tests: scripts in `guest-scripts/tests`, described by their headers. A test's id is its
 * path there. Tests with the id of an xfstests test check the same thing.
 */

export interface SuiteTest {
  id: string;
  /** One line. */
  summary: string;
  groups: string[];
  /** The test is `notrun` on other file systems. Absent: it runs on all. */
  fileSystems?: FileSystem[];
  /** Options that add the devices which it needs. */
  needs?: readonly DeviceOption[];
}

const tests = new URL('tests/', guestScripts);

/** All bundled tests, sorted by id. Throws on a bad header, because the tests are part of daxrepro. */
export function builtinTests(): SuiteTest[] {
  return filesBelow(tests)
    .sort()
    .map((id) => readHeader(id, readFileSync(new URL(id, tests), 'utf8')));
}

/** Reads the lines `# key: value` at the top of a test. `guest-scripts/lib/test.sh` explains the keys. */
export function readHeader(id: string, script: string): SuiteTest {
  const fields = new Map<string, string>();
  for (const line of script.split('\n')) {
    const [, key, value] = /^# (\w+): (.*\S)\s*$/.exec(line) ?? [];
    if (key === undefined || value === undefined) break;
    if (fields.has(key)) throw new Error(`test ${id}: "${key}" is given twice`);
    fields.set(key, value);
  }
  const take = (key: string) => {
    const value = fields.get(key);
    fields.delete(key);
    return value;
  };
  const summary = take('summary');
  const groups = take('groups')?.split(/\s+/);
  const fileSystems = take('filesystems')?.split(/\s+/);
  if (!summary || !groups) throw new Error(`test ${id}: no summary or no groups in its header`);
  for (const name of fileSystems ?? []) {
    if (!isFileSystem(name)) throw new Error(`test ${id}: there is no file system "${name}"`);
  }
  for (const key of fields.keys())
    throw new Error(`test ${id}: "${key}" is not a field of a header`);
  return {
    id,
    summary,
    groups,
    ...(fileSystems ? { fileSystems: fileSystems.filter(isFileSystem) } : {}),
  };
}

function isFileSystem(name: string): name is FileSystem {
  return (FILE_SYSTEMS as readonly string[]).includes(name);
}

export interface Selection {
  ids: readonly string[];
  groups: readonly string[];
}

/**
 * Selects tests: first by ids, in the order given, then by groups, sorted. Each test appears once.
 * Unknown names are usage errors that suggest similar names.
 */
export function selectTests(
  all: readonly SuiteTest[],
  { ids, groups }: Selection,
): Outcome<SuiteTest[]> {
  const selected = new Set<SuiteTest>();
  for (const id of ids) {
    const test = all.find((candidate) => candidate.id === id);
    if (!test) return unknownTest(id, all);
    selected.add(test);
  }
  for (const group of groups) {
    const members = all.filter((test) => test.groups.includes(group));
    if (members.length === 0) return unknownGroup(group, all);
    for (const test of members) selected.add(test);
  }
  return success([...selected]);
}

const HOW_TO_LIST = '`daxrepro list` shows all tests and their groups';

function unknownTest(id: string, all: readonly SuiteTest[]) {
  const message = `There is no built-in test "${id}"`;
  if (groupsOf(all).includes(id)) {
    return failure('usage', message, `This is a group: select it with \`-g ${id}\``);
  }
  const known = all.map((test) => test.id);
  // Suggest `dax/symlinks` for `symlinks`, too.
  const sameName = known.filter((candidate) => candidate.endsWith(`/${id}`));
  return failure('usage', message, didYouMean(sameName.length > 0 ? sameName : nearest(id, known)));
}

function unknownGroup(group: string, all: readonly SuiteTest[]) {
  const message = `There is no group "${group}" of built-in tests`;
  if (all.some((test) => test.id === group)) {
    return failure('usage', message, 'This is a test: select it without `-g`');
  }
  return failure('usage', message, didYouMean(nearest(group, groupsOf(all))));
}

function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? HOW_TO_LIST : `Did you mean ${names.join(' or ')}? ${HOW_TO_LIST}`;
}

/** All groups, sorted. */
export function groupsOf(all: readonly SuiteTest[]): string[] {
  return [...new Set(all.flatMap((test) => test.groups))].sort();
}

/** A hash of the tests and of the scripts that they and their runner use. */
export function builtinSuiteVersion(): string {
  const hash = createHash('sha256');
  for (const folder of ['lib/', 'tests/']) {
    const base = new URL(folder, guestScripts);
    for (const path of filesBelow(base).sort()) {
      const content = readFileSync(new URL(path, base));
      hash.update(`${folder}${path} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** Paths of the files below a folder, relative to it. */
function filesBelow(folder: URL): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(new URL(`${entry.name}/`, folder)).map((path) => `${entry.name}/${path}`)
      : [entry.name],
  );
}
