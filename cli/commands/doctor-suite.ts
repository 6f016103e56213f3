import { existsSync } from 'node:fs';
import { type UnbuiltProgram, unbuiltPrograms } from '../suite/xfstests/examine.js';
import { findTree, INSTALLED, treeTests } from '../suite/xfstests/tree.js';
import type { Host } from '../system/install.js';
import { missingRequirements } from '../system/programs.js';

/** What `daxrepro doctor` says of an xfstests tree. */
export interface SuiteReport {
  /** null where it was not found. */
  directory: string | null;
  /** Why its tests cannot run; a sentence without its full stop. */
  problem: string | null;
  tests: number;
  /** Programs of the tree that tests want, and that its build left out. */
  unbuilt: UnbuiltProgram[];
  /** Programs of this machine that tests want, and the package that has them. */
  missing: { names: string[]; package: string | null }[];
}

/**
 * @param asked `xfstests` or a directory; undefined: the tree that is there anyhow
 * @returns null where none was asked for and there is none
 */
export function describeSuite(
  asked: string | string[] | boolean | undefined,
  { path, distribution }: Host,
): SuiteReport | null {
  const named = typeof asked === 'string' && asked !== 'builtin' ? asked : undefined;
  if (!named && !process.env['DAXREPRO_XFSTESTS'] && !existsSync(INSTALLED)) return null;
  const nothing = { directory: null, tests: 0, unbuilt: [], missing: [] };
  const tree = findTree(named ?? 'xfstests');
  if (!tree.ok) {
    return { ...nothing, problem: `${tree.failure.message}. ${tree.failure.remedy}` };
  }
  const { directory } = tree.value;
  const tests = treeTests(tree.value);
  if (!tests.ok) {
    const problem = `${tests.failure.message}. ${tests.failure.remedy}`;
    return { ...nothing, directory, problem };
  }
  return {
    directory,
    problem: null,
    tests: tests.value.length,
    unbuilt: unbuiltPrograms(directory),
    missing: missingRequirements(['xfstests'], path).map(({ requirement, names }) => ({
      names,
      package: requirement.packages[distribution.family ?? 'debian'] ?? null,
    })),
  };
}
