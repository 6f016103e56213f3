import type { FileSystem } from '../file-systems.js';
import { type Outcome, success } from '../outcome.js';
import { builtinTests, selectTests } from '../suite/builtin.js';
import { type Choice, chooseTests } from '../suite/choose.js';
import { findTree, type TreeTest, treeTests } from '../suite/xfstests/tree.js';

/** The requested tests. From an xfstests tree: those that apply to every file system. */
export function testsFor(
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
