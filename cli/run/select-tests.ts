import type { FileSystem } from '../file-systems.js';
import { type Outcome, success } from '../outcome.js';
import type { RequestedSuite } from '../plan/unit.js';
import { builtinSuiteVersion, builtinTests, selectTests } from '../suite/builtin.js';
import { chooseTests } from '../suite/choose.js';
import { withoutExcluded } from '../suite/exclude.js';
import { findTree, testFacts, treeTests } from '../suite/xfstests/tree.js';
import type { RunOptions } from './run-options.js';

/** The tests of a request, and their suite. */
export interface Selection {
  tests: string[];
  suite: RequestedSuite;
}

/** The test id of a session, which has no test. */
export const SESSION = 'shell';

/** A session has no test, but its guest may have a tree of tests. */
export function selectSession(options: RunOptions): Outcome<Selection> {
  const suite: RequestedSuite = { name: 'builtin', version: builtinSuiteVersion() };
  if (options.suite === 'builtin') return success({ tests: [SESSION], suite });
  const tree = findTree(options.suite);
  if (!tree.ok) return tree;
  const facts = new Map();
  return success({
    tests: [SESSION],
    suite: { name: 'xfstests', version: '', tree: tree.value, facts },
  });
}

/** Selects tests by id and group from the suite that the options name. */
export function selectFrom(
  fs: FileSystem,
  choice: { ids: readonly string[]; groups: readonly string[] },
  options: RunOptions,
): Outcome<Selection> {
  if (options.suite === 'builtin') {
    const selected = selectTests(builtinTests(), { ids: [...choice.ids], groups: choice.groups });
    const left = selected.ok ? withoutExcluded(selected.value, options) : selected;
    if (!left.ok) return left;
    return success({
      tests: left.value.map(({ id }) => id),
      suite: { name: 'builtin', version: builtinSuiteVersion() },
    });
  }
  const tree = findTree(options.suite);
  if (!tree.ok) return tree;
  const all = treeTests(tree.value, fs);
  if (!all.ok) return all;
  const chosen = chooseTests(all.value, choice, 'xfstests');
  const left = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  if (!left.ok) return left;
  return success({
    tests: left.value.map(({ id }) => id),
    suite: {
      name: 'xfstests',
      version: '',
      tree: tree.value,
      facts: new Map(left.value.map((test) => [test.id, testFacts(tree.value, test)])),
    },
  });
}
