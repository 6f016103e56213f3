import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { RUN_FOLDERS } from '../suite/xfstests/tree.js';
import { isExistingFile, isFileWord } from '../user-test/read.js';

/** A test of xfstests that is not in the tree, with the files that belong to it. */
export interface TestFile {
  /** `generic/999`. */
  id: string;
  /** Absolute; the test itself first. */
  files: string[];
}

/** What xfstests' tests begin with: they read its functions. */
const READS_COMMON = /^\s*(?:\.|source)\s+(?:\.\/|"?\$\{?here\}?"?\/)?common\/(?:preamble|rc)\b/m;

/** Bytes: no test is as long. A program may be. */
const LARGEST = 2 ** 20;

const TEST_NAME = /^\d{3}[-\w]*$/;

/** Files that a test leaves, and those of editors. */
const LEFTOVER = /(?:\.out\.bad|\.full|\.dmesg|\.notrun|\.core|\.hints|\.orig|\.rej|~)$/;

/**
 * Whether a word names a file that is written as a test of xfstests.
 *
 * @param from the directory that words are relative to
 */
export function isTestOfXfstests(word: string, from: string): boolean {
  const file = resolve(from, word);
  if (!isExistingFile(file) || statSync(file).size > LARGEST) return false;
  try {
    return READS_COMMON.test(readFileSync(file, 'latin1'));
  } catch {
    // Whoever reads it as a test says why it cannot be read.
    return false;
  }
}

/** Whether the word could name a file: `./x`, `tests/generic/999`. */
export function mayBeFile(word: string, from: string): boolean {
  return isFileWord(word) || isExistingFile(resolve(from, word));
}

/** The id of a test that is in the tree anyway: `~/xfstests/tests/generic/002`. undefined if it is not. */
export function idInTree(file: string, tree: string): string | undefined {
  const tests = `${realpathSync(join(tree, 'tests'))}${sep}`;
  const real = realpathSync(file);
  return real.startsWith(tests) ? real.slice(tests.length) : undefined;
}

export function readTestFile(word: string, from: string): Outcome<TestFile> {
  const file = resolve(from, word);
  const name = basename(file);
  const folder = basename(dirname(file));
  if (!TEST_NAME.test(name) || !RUN_FOLDERS.includes(folder)) {
    return failure(
      'usage',
      `${word} reads common/preamble like a test of xfstests, but its path does not name a test`,
      `Call it FOLDER/NUMBER, where FOLDER is one of ${RUN_FOLDERS.join(', ')}: generic/999, with its output in generic/999.out`,
      { place: { file } },
    );
  }
  const companions = readdirSync(dirname(file))
    .filter((one) => one.startsWith(`${name}.`) && !LEFTOVER.test(one))
    .sort();
  if (!companions.some((one) => one.startsWith(`${name}.out`))) {
    return failure(
      'usage',
      `${word} is a test of xfstests without the output that it is compared with`,
      `Write it to ${name}.out, beside the test; its first line is "QA output created by ${name}"`,
      { place: { file } },
    );
  }
  const files = [file, ...companions.map((one) => join(dirname(file), one))].filter(existsSync);
  return success({ id: `${folder}/${name}`, files });
}
