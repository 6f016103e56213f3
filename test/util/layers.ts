import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** The layers of cli/ as docs/how-it-works.md tabulates them, and the imports they are held against. */

/** The row of the files in cli/ itself, which every folder may use. */
export const GROUND = '*.ts';

/** Files in cli/ itself that start the program: they stand above all folders. */
const ENTRY_POINTS = ['cli/main.ts', 'cli/manual.ts'];

export interface Layer {
  folder: string;
  /** Folders that it may import from, besides itself and the ground. */
  mayImport: readonly string[];
}

export interface Import {
  /** Both relative to the checkout, with `.ts`. */
  from: string;
  to: string;
}

/** The rows of the table with the column "may import from", from top to bottom. */
export function layersOf(page: string): Layer[] {
  const [, after = ''] = page.split(/^\| folder \| .* \| may import from \|\n/m);
  const [, table = ''] = /^((?:\|.*\n)+)/.exec(after) ?? [];
  const rows = table
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((row) => row.split('|').map((cell) => cell.trim()));
  const folders = rows.map(([, name = '']) => name.replaceAll('`', ''));
  return folders.map((folder, index) => {
    const words = rows[index]?.[3] ?? '';
    const below = folders.slice(index + 1);
    return {
      folder,
      mayImport: words === 'all below' ? below : words.split(/,\s*/).filter(Boolean),
    };
  });
}

/** Every relative import, `import()` and re-export of the files below a folder, types included. */
export function importsBelow(root: string, folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      importsOf(join(folder, name), readFileSync(join(root, folder, name), 'utf8')),
    );
}

export function importsOf(from: string, text: string): Import[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({ from, to: normalize(join(dirname(from), name)).replace(/\.js$/, '.ts') }));
}

/** One line for each import that the table does not allow. */
export function violations(layers: readonly Layer[], imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    if (ENTRY_POINTS.includes(from)) return [];
    if (ENTRY_POINTS.includes(to)) return [`${from} imports the entry point ${to}`];
    const [upper, lower] = [folderOf(from), folderOf(to)];
    if (upper === lower || lower === GROUND) return [];
    const layer = layers.find(({ folder }) => folder === upper);
    if (layer?.mayImport.includes(lower)) return [];
    return [`${from} imports ${to}: ${upper} may not import from ${lower}`];
  });
}

/** One line for each entry of the table that points up, or that no import uses. */
export function idleEntries(layers: readonly Layer[], imports: readonly Import[]): string[] {
  const used = new Set(imports.map(({ from, to }) => `${folderOf(from)} ${folderOf(to)}`));
  const names = layers.map(({ folder }) => folder);
  return layers.flatMap(({ folder, mayImport }, index) =>
    mayImport.flatMap((lower) => {
      if (names.indexOf(lower) <= index) return [`${folder}: ${lower} is not below it`];
      const all = mayImport.length === names.length - index - 1;
      return all || used.has(`${folder} ${lower}`) ? [] : [`${folder}: nothing uses ${lower}`];
    }),
  );
}

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : GROUND;
}
