import type { FileSystem } from '../file-systems.js';
import { type Outcome, success } from '../outcome.js';
import type { RequestedSuite } from '../plan/unit.js';
import { builtinSuiteVersion, builtinTests, selectTests } from '../suite/builtin.js';
import { chooseTests } from '../suite/choose.js';
import { withoutExcluded } from '../suite/exclude.js';
import { findTree, testFacts, treeTests } from '../suite/xfstests/tree.js';
import type { UserTest } from '../user-test/user-test.js';
import { kernelVersions } from './kernel-versions.js';
import type { RunOptions } from './run-options.js';
import { selectFiles } from './user-tests.js';

/** The tests of a request, and their suite. */
export interface Selection {
  tests: string[];
  suite: RequestedSuite;
  /** Those of `tests` that are files. */
  userTests: ReadonlyMap<string, UserTest>;
}

/** The test id of a session, which has no test. */
export const SESSION = 'shell';

/** A session has no test, but its guest may have a tree of tests. */
export function selectSession(options: RunOptions): Outcome<Selection> {
  const suite: RequestedSuite = { name: 'builtin', version: builtinSuiteVersion() };
  const userTests = new Map<string, UserTest>();
  if (options.suite === 'builtin') return success({ tests: [SESSION], suite, userTests });
  const tree = findTree(options.suite);
  if (!tree.ok) return tree;
  const facts = new Map();
  return success({
    tests: [SESSION],
    userTests,
    suite: { name: 'xfstests', version: '', tree: tree.value, facts },
  });
}

/** Selects the user's own files, and tests by id and group from the suite that the options name. */
export function selectFrom(
  fs: FileSystem,
  choice: { ids: readonly string[]; groups: readonly string[] },
  options: RunOptions,
): Outcome<Selection> {
  const files = selectFiles(choice.ids, options);
  if (!files.ok) return files;
  const { userTests, others } = files.value;
  const words = [...userTests.keys()];
  // A tree of xfstests is not read where no test of it is asked for.
  const onlyFiles = others.length === 0 && choice.groups.length === 0;
  const selected = onlyFiles
    ? success({ tests: [], suite: BUILTIN() })
    : selectFromSuite(fs, { ids: others, groups: choice.groups }, options);
  if (!selected.ok) return selected;
  const { tests, suite } = selected.value;
  return success({ tests: [...words, ...tests], suite, userTests });
}

const BUILTIN = (): RequestedSuite => ({ name: 'builtin', version: builtinSuiteVersion() });

function selectFromSuite(
  fs: FileSystem,
  choice: { ids: readonly string[]; groups: readonly string[] },
  options: RunOptions,
): Outcome<Omit<Selection, 'userTests'>> {
  if (options.suite === 'builtin') {
    const selected = selectTests(builtinTests(), { ids: [...choice.ids], groups: choice.groups });
    const left = selected.ok
      ? withoutExcluded(selected.value, options, kernelVersions(options.kernel))
      : selected;
    if (!left.ok) return left;
    return success({
      tests: left.value.map(({ id }) => id),
      suite: BUILTIN(),
    });
  }
  const tree = findTree(options.suite);
  if (!tree.ok) return tree;
  const all = treeTests(tree.value, fs);
  if (!all.ok) return all;
  const chosen = chooseTests(all.value, choice, 'xfstests');
  const left = chosen.ok
    ? withoutExcluded(chosen.value, options, kernelVersions(options.kernel))
    : chosen;
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
