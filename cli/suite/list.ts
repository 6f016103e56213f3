import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { type Outcome, success } from '../outcome.js';
import { builtinSuiteVersion, builtinTests, type SuiteTest, selectTests } from './builtin.js';
import { chooseTests } from './choose.js';
import { type ExclusionOptions, withoutExcluded } from './exclude.js';
import { findTree, testFacts, treeTests } from './xfstests/tree.js';

/** The tests that `daxrepro list` shows. */

export interface ListOptions extends ExclusionOptions {
  suite?: string;
  group?: string[];
}

export interface ListedTests {
  suite: 'builtin' | 'xfstests';
  /** null for an xfstests tree, whose version is known only after packing. */
  version: string | null;
  tests: SuiteTest[];
  /** The requested file system, for an xfstests tree. */
  fs?: FileSystem | undefined;
}

/**
 * For an xfstests tree the first word may name a file system. The tests are then those that a run with
 * the same words and options would run.
 *
 * @param words lists the tests that contain one of them; with `*` a word is a pattern for the whole id;
 *   no words list every test
 */
export function listTests(words: readonly string[], options: ListOptions): Outcome<ListedTests> {
  const { suite = 'builtin' } = options;
  return suite === 'builtin' ? listBuiltin(words, options) : listTree(suite, words, options);
}

function listBuiltin(patterns: readonly string[], options: ListOptions): Outcome<ListedTests> {
  const chosen = chooseBuiltin(builtinTests(), patterns, options.group ?? []);
  const tests = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  if (!tests.ok) return tests;
  return success({ suite: 'builtin', version: builtinSuiteVersion(), tests: tests.value });
}

function listTree(
  suite: string,
  words: readonly string[],
  options: ListOptions,
): Outcome<ListedTests> {
  const tree = findTree(suite);
  if (!tree.ok) return tree;
  const fs = FILE_SYSTEMS.find((name) => name === words[0]);
  const all = treeTests(tree.value, fs);
  if (!all.ok) return all;
  const ids = fs ? words.slice(1) : words;
  const groups = options.group ?? [];
  const everything = ids.length === 0 && groups.length === 0;
  const chosen = everything ? all : chooseTests(all.value, { ids, groups }, 'xfstests');
  const left = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  if (!left.ok) return left;
  const tests = left.value.map((test) => {
    const { summary, needs } = testFacts(tree.value, test);
    return { ...test, summary, ...(needs ? { needs } : {}) };
  });
  return success({ suite: 'xfstests', version: null, tests, fs });
}

function chooseBuiltin(
  all: SuiteTest[],
  patterns: readonly string[],
  groups: readonly string[],
): Outcome<SuiteTest[]> {
  if (patterns.length === 0 && groups.length === 0) return success(all);
  const ids: string[] = [];
  for (const pattern of patterns) {
    const expression = patternExpression(pattern);
    const matching = all.filter(({ id }) => expression.test(id)).map(({ id }) => id);
    // A pattern without a match is treated as an id, so that the error suggests similar ids.
    ids.push(...(matching.length > 0 ? matching : [pattern]));
  }
  return selectTests(all, { ids, groups });
}

function patternExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.length > 1 ? `^${parts.join('.*')}$` : (parts[0] ?? ''));
}
