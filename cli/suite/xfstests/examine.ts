import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FOLDERS } from './tree.js';

/** What of a tree's programs is not there, by name: its build leaves out what it finds no library for. */
export interface UnbuiltProgram {
  /** In the tree: `src/file_attr`. */
  path: string;
  /** How many of the scripts name it. */
  scripts: number;
}

/** How scripts of xfstests name the programs of their tree. */
const NAMED = /\$here\/src\/([\w.+/-]+)|_require_test_program "?([\w.+/-]+)"?/g;

/**
 * The programs in src/ that tests of the file systems that are run here name, and that are not there
 * although their sources are; those that most name first.
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

/** The texts of tests and of what they include, not those of what they should print. */
function scriptsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:out|cfg|list)\b|^Makefile|^group/.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8'));
}
