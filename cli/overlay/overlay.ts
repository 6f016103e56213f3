import { resolve } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { findTree, type Tree, treeTests } from '../suite/xfstests/tree.js';
import { type ChangedFile, makeOverlay, type OverlayContext } from './make.js';
import { idInTree, isTestOfXfstests, mayBeFile, readTestFile } from './test-files.js';

/** A suite as the command line names it, and the words that name tests. */
export interface NamedSuite {
  /** builtin, xfstests, or a directory. */
  suite: string;
  /** Patches of --suite-patch. */
  patches?: readonly string[] | undefined;
  words: readonly string[];
  /** The directory that the words are relative to. */
  from?: string | undefined;
}

export interface OverlaidSuite {
  /** The suite to use: a copy of the tree in the cache if anything was added to it. */
  suite: string;
  /** The words; those of files that are tests of xfstests have become their ids. */
  words: string[];
}

/**
 * Adds the patches of --suite-patch and tests from outside to an xfstests tree. The user's tree stays as it
 * is: a copy gets the changes.
 */
export async function overlaySuite(
  { suite, patches = [], words, from = '.' }: NamedSuite,
  context: OverlayContext,
): Promise<Outcome<OverlaidSuite>> {
  const files = words.filter((word) => mayBeFile(word, from) && isTestOfXfstests(word, from));
  if (files.length + patches.length === 0) return success({ suite, words: [...words] });
  if (suite === 'builtin') return noTree(files[0]);
  const tree = findTree(suite);
  if (!tree.ok) return tree;
  const found = testsOutside(files, tree.value, from);
  if (!found.ok) return found;
  const { ids, changes } = found.value;
  const all: ChangedFile[] = [
    ...patches.map((file) => ({ type: 'patch' as const, file: resolve(file) })),
    ...changes,
  ];
  const made = all.length > 0 ? await makeOverlay(tree.value, all, context) : success(undefined);
  if (!made.ok) return made;
  return success({ suite: made.value ?? suite, words: words.map((word) => ids.get(word) ?? word) });
}

/**
 * The same for a kept run: its changes, applied to the tree as it is now.
 *
 * @param suite where the tree is now
 * @param changes as recorded; undefined: none
 * @param directory of the recorded files
 */
export async function overlayAgain(
  suite: string,
  changes: readonly ChangedFile[] = [],
  directory: string,
  context: OverlayContext,
): Promise<Outcome<string>> {
  if (changes.length === 0) return success(suite);
  const tree = findTree(suite);
  if (!tree.ok) return tree;
  return makeOverlay(tree.value, changes, context, directory);
}

function noTree(file: string | undefined): Outcome<never> {
  return file === undefined
    ? failure(
        'usage',
        '--suite-patch changes an xfstests tree, and the built-in suite is none',
        'Name the tree with --suite DIR',
      )
    : failure(
        'usage',
        `${file} is a test of xfstests, which needs a tree of it`,
        'Name the directory of a built xfstests tree with --suite DIR',
      );
}

/** The files of tests that the tree lacks, and the ids of all. A plain `generic/002` is the tree's own. */
function testsOutside(
  words: readonly string[],
  tree: Tree,
  from: string,
): Outcome<{ ids: Map<string, string>; changes: ChangedFile[] }> {
  const known = treeTests(tree);
  if (!known.ok) return known;
  const ids = new Map<string, string>();
  const changes: ChangedFile[] = [];
  for (const word of words) {
    if (known.value.some(({ id }) => id === word)) continue;
    const inside = idInTree(resolve(from, word), tree.directory);
    if (inside !== undefined) {
      ids.set(word, inside);
      continue;
    }
    const read = readTestFile(word, from);
    if (!read.ok) return read;
    const { id, files } = read.value;
    const other = [...ids].find(([, taken]) => taken === id);
    if (other) {
      return failure('usage', `${other[0]} and ${word} are both ${id}`, 'Rename one of them');
    }
    ids.set(word, id);
    for (const file of files) {
      changes.push({ type: 'file', path: `tests/${pathOf(id, file)}`, file });
    }
  }
  return success({ ids, changes });
}

function pathOf(id: string, file: string): string {
  const [folder = ''] = id.split('/');
  return `${folder}/${file.slice(file.lastIndexOf('/') + 1)}`;
}
