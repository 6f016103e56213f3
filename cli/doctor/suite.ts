import { existsSync } from 'node:fs';
import { DEVICE_OPTIONS, type DeviceOption } from '../guest/additional-devices.js';
import { type UnbuiltProgram, unbuiltPrograms } from '../suite/xfstests/examine.js';
import {
  findTree,
  INSTALLED,
  RUN_FOLDERS,
  type Tree,
  type TreeTest,
  testFacts,
  treeTests,
} from '../suite/xfstests/tree.js';
import type { Host } from '../system/install.js';
import { missingRequirements } from '../system/programs.js';

/** An xfstests tree, for `daxrepro doctor`. */
export interface SuiteReport {
  /** null if it was not found. */
  directory: string | null;
  /** Why its tests cannot run: a sentence without the full stop. */
  problem: string | null;
  tests: number;
  /** Tests of ext2, ext4 and xfs that need further devices, by the option that adds them. */
  devices: { option: DeviceOption; tests: string[] }[];
  /** Programs that tests need and that the tree's build left out. */
  unbuilt: UnbuiltProgram[];
  /** Programs that tests need and that this machine lacks, with their package. */
  missing: { names: string[]; package: string | null }[];
}

/**
 * @param asked `xfstests` or a directory; undefined stands for the installed tree
 * @returns null if none was asked for and none is installed
 */
export function describeSuite(
  asked: string | string[] | boolean | undefined,
  { path, distribution }: Host,
): SuiteReport | null {
  const named = typeof asked === 'string' && asked !== 'builtin' ? asked : undefined;
  if (!named && !process.env['DAXREPRO_XFSTESTS'] && !existsSync(INSTALLED)) return null;
  const nothing = { directory: null, tests: 0, devices: [], unbuilt: [], missing: [] };
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
    devices: testsWithDevices(tree.value, tests.value),
    unbuilt: unbuiltPrograms(directory),
    missing: missingRequirements(['xfstests'], path).map(({ requirement, names }) => ({
      names,
      package: requirement.packages[distribution.family ?? 'debian'] ?? null,
    })),
  };
}

function testsWithDevices(tree: Tree, all: readonly TreeTest[]): SuiteReport['devices'] {
  const facts = all
    .filter(({ id }) => RUN_FOLDERS.some((folder) => id.startsWith(`${folder}/`)))
    .map((test) => ({ id: test.id, needs: testFacts(tree, test).needs ?? [] }));
  return DEVICE_OPTIONS.map((option) => ({
    option,
    tests: facts.filter(({ needs }) => needs.includes(option)).map(({ id }) => id),
  })).filter(({ tests }) => tests.length > 0);
}
