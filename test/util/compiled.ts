import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** The program as plain JavaScript, for tests that start it as a process. */

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Builds the program into `<directory>/dist`, like `npm run build`, with the rest of the package
 * beside it.
 */
export function compileInto(directory: string): { main: string } {
  execFileSync(process.execPath, [join(root, 'bundle.js'), join(directory, 'dist')]);
  addPackage(directory);
  return { main: join(directory, 'dist/main.js') };
}

/**
 * Compiles cli/ file by file, for tests that start one of its modules. `directory` must be below
 * the checkout, so that node_modules is found.
 */
export function compileModulesInto(directory: string): { module: (path: string) => string } {
  const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' });
  buildSync({
    absWorkingDir: root,
    entryPoints: sources.filter((path) => path.endsWith('.ts')).map((path) => join('cli', path)),
    outdir: join(directory, 'dist'),
    outbase: 'cli',
    format: 'esm',
    platform: 'node',
  });
  addPackage(directory);
  return { module: (path) => join(directory, 'dist', path) };
}

function addPackage(directory: string): void {
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  for (const folder of ['guest-scripts', 'kernels', 'power-cut']) {
    symlinkSync(join(root, folder), join(directory, folder));
  }
}
