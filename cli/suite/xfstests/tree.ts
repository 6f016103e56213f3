import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DeviceOption } from '../../guest/additional-devices.js';
import { failure, type Outcome, success } from '../../outcome.js';
import { devicesNeededBy } from './needs.js';
import { type Overlay, readOverlay } from './overlay.js';
import { provocationsOf } from './provocations.js';

/** The user's xfstests tree: a built source tree, or an installed one. */
export interface Tree {
  /** Absolute. */
  directory: string;
  /** For a copy in the cache: the user's tree, and what the copy has beyond it. */
  overlay?: Overlay;
}

/** The directory where xfstests' `make install` puts it. */
export const INSTALLED = '/var/lib/xfstests';

/** Every xfstests tree has these files, built or not. */
const SKELETON = ['check', 'common/rc', 'common/config', 'tests/generic'];

/**
 * Programs of the build that almost every test needs. `check` does not start without the first two.
 */
const BUILT = ['ltp/fsstress', 'ltp/fsx', 'src/lstat64', 'src/feature'];

/** The folders with tests for ext2, ext4 or xfs. */
export const RUN_FOLDERS = ['generic', 'shared', 'ext4', 'xfs'];

/**
 * Finds the tree of `--suite`. `xfstests` means the directory in $DAXREPRO_XFSTESTS, or else the
 * installed tree. Any other value is a directory.
 */
export function findTree(
  suite: string,
  environment: NodeJS.ProcessEnv = process.env,
): Outcome<Tree> {
  if (suite !== 'xfstests') return checkTree(resolve(suite), `--suite ${suite}`);
  const named = environment['DAXREPRO_XFSTESTS'];
  if (named) return checkTree(resolve(named), `DAXREPRO_XFSTESTS=${named}`);
  if (existsSync(INSTALLED)) return checkTree(INSTALLED, '--suite xfstests');
  return failure(
    'usage',
    `--suite xfstests: there is no tree in ${INSTALLED}, and DAXREPRO_XFSTESTS is not set`,
    'Give the directory of a built xfstests tree with --suite DIR',
  );
}

/** @param asked the option or variable that named the tree, for messages */
function checkTree(directory: string, asked: string): Outcome<Tree> {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return failure(
      'usage',
      `${asked}: there is no directory ${directory}`,
      'Give builtin, xfstests, or the directory of a built xfstests tree',
    );
  }
  const lacks = SKELETON.filter((path) => !existsSync(join(directory, path)));
  if (lacks.length > 0) {
    return failure(
      'usage',
      `${asked}: ${directory} is not an xfstests tree: it has no ${lacks.join(', ')}`,
      'Give the directory that contains the script `check`',
    );
  }
  const unbuilt = BUILT.filter((path) => !existsSync(join(directory, path)));
  if (unbuilt.length > 0) {
    return failure(
      'usage',
      `${asked}: the xfstests tree in ${directory} is not built: it lacks ${unbuilt.join(', ')}`,
      'Run `make` there; its README lists the packages it needs',
    );
  }
  const overlay = readOverlay(directory);
  return success({ directory, ...(overlay ? { overlay } : {}) });
}

/** The user's directory. */
export function originOf({ directory, overlay }: Tree): string {
  return overlay?.of ?? directory;
}

/** A test of a tree, from its group file. */
export interface TreeTest {
  /** `generic/002`. */
  id: string;
  groups: string[];
}

/**
 * The tests that apply to a file system: the generic ones and its own. Like xfstests, it includes the
 * tests of ext4 for ext2; those that do not apply report `notrun`.
 *
 * @param fs undefined for the tests of all directories
 */
export function treeTests({ directory }: Tree, fs?: string): Outcome<TreeTest[]> {
  const folders =
    fs === undefined
      ? directoriesIn(join(directory, 'tests'))
      : ['generic', 'shared', fs === 'ext2' ? 'ext4' : fs];
  const tests = folders.flatMap((folder) => testsOf(directory, folder));
  if (tests.length > 0) return success(tests.sort((a, b) => (a.id < b.id ? -1 : 1)));
  return failure(
    'usage',
    `The xfstests tree in ${directory} has no tests/generic/group.list, which its build generates`,
    'Run `make` there',
  );
}

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** Reads group.list, which the build generates. Before 2021 it was a source file named `group`. */
function testsOf(directory: string, folder: string): TreeTest[] {
  const file = ['group.list', 'group']
    .map((name) => join(directory, 'tests', folder, name))
    .find((path) => existsSync(path));
  return file === undefined ? [] : readGroups(folder, readFileSync(file, 'utf8'));
}

/** Parses lines such as `002 metadata auto quick`. Comments begin with `#`. */
export function readGroups(folder: string, text: string): TreeTest[] {
  return text.split('\n').flatMap((line) => {
    const [name, ...groups] = line.replace(/#.*/, '').trim().split(/\s+/);
    return name && /^\d{3}[-\w]*$/.test(name) ? [{ id: `${folder}/${name}`, groups }] : [];
  });
}

/** Facts from a test's script that its verdict needs. */
export interface TestFacts {
  groups: string[];
  /** Names of PROVOCATIONS: things it does on purpose to make the kernel complain. */
  provokes: string[];
  /** One line; empty if the script has no summary. */
  summary: string;
  /** Options that add the devices which it needs. */
  needs?: readonly DeviceOption[];
  /** The group file lists the test, but its script is missing. */
  missing?: boolean;
}

export function testFacts({ directory }: Tree, { id, groups }: TreeTest): TestFacts {
  let script = '';
  try {
    script = readFileSync(join(directory, 'tests', id), 'utf8');
  } catch {
    // `check` reports the missing script.
  }
  const needs = devicesNeededBy(script);
  return {
    groups,
    provokes: provocationsOf(script),
    summary: summaryOf(script),
    ...(needs.length > 0 ? { needs } : {}),
    ...(script === '' ? { missing: true } : {}),
  };
}

/** The first meaningful line of the comment after the copyright and the test's number. */
function summaryOf(script: string): string {
  for (const line of script.split('\n').slice(1)) {
    if (line !== '' && !line.startsWith('#')) break;
    const text = line.replace(/^#+\s*/, '').trim();
    // The next line says what it tests.
    if (/regression test for[\w ]*:?$/i.test(text)) continue;
    const formal =
      text === '' ||
      /^(SPDX|Copyright|\(c\)|All Rights|Author|FS QA|FSQA|FSQA Test|test)\b.*$/i.test(text);
    if (!formal) return text;
    const afterNumber = /^(?:FS ?QA )?Test (?:No\.? ?)?[\w/-]*\d+:? +(\S.*)$/i.exec(text);
    if (afterNumber?.[1]) return afterNumber[1];
  }
  return '';
}
