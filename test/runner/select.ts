import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Selects test files. */

export const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Folders and files that are not unit tests. A unit test needs no guest, no set-up, no network and
 * no root; it starts small programs at most, and takes a few seconds. It skips, with a reason, what
 * only few machines can do.
 */
export const NOT_UNIT: readonly { why: string; paths: readonly string[] }[] = [
  { why: 'boot guests', paths: ['test/real/'] },
  {
    why: 'run whole commands, or guests with a fake QEMU',
    paths: [
      'test/commands/',
      'test/chunks/commands.test.ts',
      'test/chunks/templates.test.ts',
      'test/compare/command.test.ts',
      'test/docs/ci-files.test.ts',
      'test/engines/slurm.test.ts',
      'test/engines/ssh.test.ts',
      'test/docs/commands.test.ts',
      'test/guest/checkpoint.test.ts',
      'test/guest/contents.test.ts',
      'test/guest/guest.test.ts',
      'test/launcher.test.ts',
      'test/survivors/check.test.ts',
      'test/process/',
      'test/run/explain.test.ts',
      'test/run/together.test.ts',
    ],
  },
  {
    why: 'build programs, packages and trees',
    paths: [
      'test/bisect/git-history.test.ts',
      'test/bisect/inputs.test.ts',
      'test/guest/programs.test.ts',
      'test/kernel/debian.test.ts',
      'test/kernel/full-build.test.ts',
      'test/kernel/git-source.test.ts',
      'test/power-cut/model.test.ts',
      'test/power-cut/output.test.ts',
      'test/power-cut/qemu-package.test.ts',
    ],
  },
  {
    why: 'run file-system checks, shells, a browser',
    paths: [
      'test/completion/shells.test.ts',
      'test/evidence/medium.test.ts',
      'test/findings/damage.test.ts',
      'test/report/html.test.ts',
    ],
  },
  { why: 'simulate hundreds of bisections', paths: ['test/bisect/simulation.test.ts'] },
  {
    why: 'test the tests and checks themselves',
    paths: ['test/checks/', 'test/ci.test.ts', 'test/runner/'],
  },
];

export type Selection = { ok: true; files: string[] } | { ok: false; problem: string };

/** @param paths files or folders, relative to the working directory; none: all tests */
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
  return !NOT_UNIT.some(({ paths }) => paths.some((path) => file.startsWith(path)));
}
