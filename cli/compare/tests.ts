import type { FileSystem } from '../file-systems.js';
import { type Outcome, success } from '../outcome.js';
import { selectFiles } from '../run/user-tests.js';
import { builtinTests, selectTests } from '../suite/builtin.js';
import { type Choice, chooseTests } from '../suite/choose.js';
import { findTree, type TreeTest, treeTests } from '../suite/xfstests/tree.js';

/**
 * The requested tests: the user's files, and tests of the suite. From an xfstests tree: those that apply to
 * every file system.
 *
 * @param from the directory that words of test files are relative to
 */
export function testsFor(
  fileSystems: readonly FileSystem[],
  choice: Choice,
  suite: string,
  from?: string | undefined,
): Outcome<string[]> {
  const files = selectFiles(choice.ids, from === undefined ? {} : { testsFrom: from });
  if (!files.ok) return files;
  const { userTests, others } = files.value;
  const words = [...userTests.keys()];
  if (others.length === 0 && choice.groups.length === 0) return success(words);
  const chosen = testsOfSuite(fileSystems, { ...choice, ids: others }, suite);
  return chosen.ok ? success([...words, ...chosen.value]) : chosen;
}

function testsOfSuite(
  fileSystems: readonly FileSystem[],
  choice: Choice,
  suite: string,
): Outcome<string[]> {
  if (suite === 'builtin') {
    const chosen = selectTests(builtinTests(), choice);
    return chosen.ok ? success(chosen.value.map(({ id }) => id)) : chosen;
  }
  const tree = findTree(suite);
  if (!tree.ok) return tree;
  let common: TreeTest[] | undefined;
  for (const fs of fileSystems) {
    const tests = treeTests(tree.value, fs);
    if (!tests.ok) return tests;
    const ids = new Set(tests.value.map(({ id }) => id));
    common = common?.filter(({ id }) => ids.has(id)) ?? tests.value;
  }
  const chosen = chooseTests(common ?? [], choice, 'xfstests');
  return chosen.ok ? success(chosen.value.map(({ id }) => id)) : chosen;
}
