import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FOLDERS } from './tree.js';

/** A program that the tree's build left out, usually because a library is missing. */
export interface UnbuiltProgram {
  /** The path in the tree: `src/file_attr`. */
  path: string;
  /** The number of scripts that use it. */
  scripts: number;
}

/** Matches uses of the tree's programs in scripts of xfstests. */
const NAMED = /\$here\/src\/([\w.+/-]+)|_require_test_program "?([\w.+/-]+)"?/g;

/**
 * The programs in src/ that have sources but were not built, and that tests of ext2, ext4 or xfs use.
 * The most used ones come first.
 */
export function unbuiltPrograms(directory: string): UnbuiltProgram[] {
  const scripts = new Map<string, number>();
  for (const folder of ['common', ...RUN_FOLDERS.map((name) => `tests/${name}`)]) {
    for (const text of scriptsIn(join(directory, folder))) {
      const names = new Set<string>();
      for (const [, called, required] of text.matchAll(NAMED)) {
        const name = (called ?? required ?? '').replace(/[.]+$/, '');
        if (name) names.add(name);
      }
      for (const name of names) scripts.set(name, (scripts.get(name) ?? 0) + 1);
    }
  }
  return [...scripts]
    .filter(([name]) => {
      const program = join(directory, 'src', name);
      return !existsSync(program) && existsSync(`${program}.c`);
    })
    .map(([name, count]) => ({ path: `src/${name}`, scripts: count }))
    .sort((a, b) => b.scripts - a.scripts || (a.path < b.path ? -1 : 1));
}

/** The texts of tests and of the files they include, without the expected outputs. */
function scriptsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:out|cfg|list)\b|^Makefile|^group/.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8'));
}
