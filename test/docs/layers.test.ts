import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import {
  GROUND,
  idleEntries,
  importsBelow,
  importsOf,
  layersOf,
  violations,
} from '../util/layers.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(`${ROOT}/docs/how-it-works.md`, 'utf8');
const layers = layersOf(PAGE);
const imports = importsBelow(ROOT, 'cli');

t.test('the map of the code names every folder of cli/ once', async (t) => {
  const folders = readdirSync(`${ROOT}/cli`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  t.strictSame(layers.map(({ folder }) => folder).sort(), [GROUND, ...folders].sort());
});

t.test('no import goes up, and the map allows no more than is used', async (t) => {
  t.ok(imports.length > 1000, 'the imports were read');
  t.strictSame(violations(layers, imports), []);
  t.strictSame(idleEntries(layers, imports), []);
});

t.test('an import that goes up is found, whatever its form', async (t) => {
  const planted = [
    "import { a } from '../commands/run.js';",
    "import type { A } from '../commands/run.js';",
    "export * from '../commands/run.js';",
    "const late = await import('../commands/run.js');",
  ];
  for (const line of planted) {
    t.strictSame(violations(layers, importsOf('cli/findings/planted.ts', line)), [
      'cli/findings/planted.ts imports cli/commands/run.ts: findings may not import from commands',
    ]);
  }
  const entry = importsOf('cli/findings/planted.ts', "import '../main.js';");
  t.strictSame(violations(layers, entry), [
    'cli/findings/planted.ts imports the entry point cli/main.ts',
  ]);
});

t.test('an entry of the map that points up or is not used is found', async (t) => {
  const wrong = [
    { folder: 'above', mayImport: ['below', 'side'] },
    { folder: 'side', mayImport: ['above'] },
    { folder: 'below', mayImport: [] },
    { folder: GROUND, mayImport: [] },
  ];
  const used = [{ from: 'cli/above/a.ts', to: 'cli/below/b.ts' }];
  t.strictSame(idleEntries(wrong, used), [
    'above: nothing uses side',
    'side: above is not below it',
  ]);
});
