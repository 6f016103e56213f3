import { failure, type Outcome, type Place, success } from '../outcome.js';
import { isTestWord } from './choose.js';
import type { KernelVersions } from './conditions.js';
import { Conditions, isDirective } from './preprocessor.js';

/**
 * Lists of tests, one on each line, as several programs keep them:
 *
 *     generic/475                    # xfstests' `check -E`, and the expunge lists of kdevops: a comment after #
 *     // why                         # the exclude files of xfstests-bld: a comment before the test
 *     generic/027
 *     -g dax                         # and a group
 *
 * Ranges and patterns are allowed, too. xfstests-bld's files go through the C preprocessor: conditions that the
 * kernel's version decides are followed, and others are refused instead of being read as comments.
 */
export interface ListedTest {
  /** A test, range or pattern; a group has `group` instead. */
  word?: string;
  group?: string;
  /** The comment after the test, or else the one before it; empty if there is none. */
  comment: string;
  place: Place;
}

/** @param kernel the versions that the kernel may have, for conditions; undefined: unknown */
export function readTestList(
  file: string,
  text: string,
  kernel?: KernelVersions | undefined,
): Outcome<ListedTest[]> {
  const listed: ListedTest[] = [];
  const conditions = new Conditions(kernel);
  let before: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    if (isDirective(line)) {
      const followed = conditions.follow(line, place);
      if (!followed.ok) return followed;
      // A condition separates the comment of another test.
      before = [];
      continue;
    }
    if (!conditions.count) continue;
    const [, entry = '', after = ''] =
      /^(.*?)(?:(?:#|(?<=^|\s)\/\/)(.*))?$/.exec(line.trim()) ?? [];
    const word = entry.trim();
    if (word === '') {
      // A blank line separates the comment of another test.
      before = line.trim() === '' ? [] : [...before, after.trim()];
      continue;
    }
    const [, group] = /^-g\s+(\S+)$/.exec(word) ?? [];
    if (group === undefined && !isTestWord(word)) return notATest(word, place);
    const comment = after.trim() || before.join(' ').trim();
    listed.push({ ...(group === undefined ? { word } : { group }), comment, place });
  }
  const ended = conditions.end();
  return ended.ok ? success(listed) : ended;
}

/** Whether a file is such a list, by its first line that is no comment; else it should be YAML. */
export function isTestList(text: string): boolean {
  const lines = text.split('\n');
  if (lines.some((line) => /^\s*\/\//.test(line) || isDirective(line))) return true;
  const first = lines.find((line) => !/^\s*(?:#|$)/.test(line)) ?? '';
  return /^\s*(?:-g\s|[\w.*?[\]-]+\/[^\s:]+\s*(?:#.*|\/\/.*)?$)/.test(first);
}

function notATest(word: string, place: Place) {
  return failure(
    'usage',
    `${JSON.stringify(word.slice(0, 80))} is not a test, range or pattern`,
    'Write one per line, such as generic/475 or generic/001-010; comments begin with #',
    { place },
  );
}
