import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { failure, type Outcome, success } from '../../outcome.js';
import { provocationsOf } from './provocations.js';

/** An xfstests tree of the user's, built where its sources are or installed elsewhere. */
export interface Tree {
  /** Absolute. */
  directory: string;
}

/** Where xfstests' own `make install` puts it. */
export const INSTALLED = '/var/lib/xfstests';

/** What every tree has, built or not. */
const SKELETON = ['check', 'common/rc', 'common/config', 'tests/generic'];

/**
 * What its build makes and hardly a test does without. Its `check` refuses to begin without the first
 * two.
 */
const BUILT = ['ltp/fsstress', 'ltp/fsx', 'src/lstat64', 'src/feature'];

/** The folders of tests that apply to some file system that is run here. */
export const RUN_FOLDERS = ['generic', 'shared', 'ext4', 'xfs'];

/**
 * The tree that `--suite` names: `xfstests` is the one that $DAXREPRO_XFSTESTS names, else the
 * installed one; all else is a directory.
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
    `--suite xfstests: there is none in ${INSTALLED}, and DAXREPRO_XFSTESTS is not set`,
    'Give the directory of a built xfstests tree with --suite DIR',
  );
}

/** @param asked how the user asked for it, for messages */
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
      `${asked}: ${directory} is no xfstests tree: it has no ${lacks.join(', ')}`,
      'Give the directory that holds the script `check`',
    );
  }
  const unbuilt = BUILT.filter((path) => !existsSync(join(directory, path)));
  if (unbuilt.length > 0) {
    return failure(
      'usage',
      `${asked}: the xfstests tree in ${directory} is not built: it lacks ${unbuilt.join(', ')}`,
      'Run `make` there; its README names the packages that takes',
    );
  }
  return success({ directory });
}

/** A test of a tree, as its group file tells of it. */
export interface TreeTest {
  /** `generic/002`. */
  id: string;
  groups: string[];
}

/**
 * The tests that apply to a file system: the generic ones and its own. xfstests runs ext4's on ext2
 * too, and leaves it to each to say that it does not apply.
 *
 * @param fs undefined: those of all directories
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
    `The xfstests tree in ${directory} has no tests/generic/group.list, which its build makes`,
    'Run `make` there',
  );
}

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** By the file that the build makes; before 2021 it was kept by hand, under another name. */
function testsOf(directory: string, folder: string): TreeTest[] {
  const file = ['group.list', 'group']
    .map((name) => join(directory, 'tests', folder, name))
    .find((path) => existsSync(path));
  return file === undefined ? [] : readGroups(folder, readFileSync(file, 'utf8'));
}

/** Lines `002 metadata auto quick`; everything after a `#` is a comment. */
export function readGroups(folder: string, text: string): TreeTest[] {
  return text.split('\n').flatMap((line) => {
    const [name, ...groups] = line.replace(/#.*/, '').trim().split(/\s+/);
    return name && /^\d{3}[-\w]*$/.test(name) ? [{ id: `${folder}/${name}`, groups }] : [];
  });
}

/** What a test's script says of itself, where judging it takes that. */
export interface TestFacts {
  groups: string[];
  /** What it does on purpose that makes the kernel complain: names of PROVOCATIONS. */
  provokes: string[];
  /** One line; empty where the script has none. */
  summary: string;
  /** The tree lists it and has no such script. */
  missing?: boolean;
}

export function testFacts({ directory }: Tree, { id, groups }: TreeTest): TestFacts {
  let script = '';
  try {
    script = readFileSync(join(directory, 'tests', id), 'utf8');
  } catch {
    // check says what it makes of that.
  }
  return {
    groups,
    provokes: provocationsOf(script),
    summary: summaryOf(script),
    ...(script === '' ? { missing: true } : {}),
  };
}

/** The first line of the comment after the copyright and the test's number that says something. */
function summaryOf(script: string): string {
  for (const line of script.split('\n').slice(1)) {
    if (line !== '' && !line.startsWith('#')) break;
    const text = line.replace(/^#+\s*/, '').trim();
    // What it is a test for stands in the next line.
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
