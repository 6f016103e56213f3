import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Which test files are run. */

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folders and files that are no unit tests. */
export const NOT_UNIT: readonly { path: string; why: string }[] = [
  { path: 'test/real/', why: 'boots guests' },
];

export type Selection = { ok: true; files: string[] } | { ok: false; problem: string };

/** @param paths files or folders, by the working directory; none: all tests */
export function selectFiles(paths: readonly string[], unit: boolean): Selection {
  const files = new Set<string>();
  for (const path of paths.length > 0 ? paths : [join(root, 'test')]) {
    const found = existsSync(path) ? testsIn(path) : [];
    if (found.length === 0) return { ok: false, problem: `There is no test file in ${path}.` };
    for (const file of found) files.add(relative(root, resolve(file)));
  }
  const wanted = [...files].filter((file) => !unit || isUnit(file)).sort();
  if (wanted.length === 0) return { ok: false, problem: 'None of these files is a unit test.' };
  return { ok: true, files: wanted };
}

function testsIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map((name) => join(path, name));
}

function isUnit(file: string): boolean {
  return !NOT_UNIT.some(({ path }) => file.startsWith(path));
}
