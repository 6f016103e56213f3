import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The program as plain JavaScript, for tests that start it as a process of its own. */

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles cli/ into `<directory>/dist`, with the rest of the package beside it. Without a look at
 * types, which takes a second and not ten. `directory` has to be somewhere below the checkout, where
 * node_modules is found.
 */
export function compileInto(directory: string): { main: string; module: (path: string) => string } {
  for (const path of readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const target = join(directory, 'dist', path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'cli', path), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    });
    writeFileSync(target, outputText);
  }
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  for (const folder of ['guest-scripts', 'kernels']) {
    symlinkSync(join(root, folder), join(directory, folder));
  }
  return {
    main: join(directory, 'dist/main.js'),
    module: (path) => join(directory, 'dist', path),
  };
}
