// Makes the program: cli/ and the packages it uses, bundled into a few files. Loaded one by one, their
// five hundred modules take longer than all that the program does before QEMU starts. And its manual
// page, daxrepro.1, from the same definitions as the help.
//
// usage: node bundle.js DIRECTORY
//
// Types are checked by `npm run check`, not by everyone who starts the program.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('.', import.meta.url));
// esbuild takes a relative path from its own directory, everything else takes it from ours.
const directory = resolve(process.argv[2]);

try {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts', 'cli/manual.ts'],
    outdir: directory,
    bundle: true,
    // What a command alone uses is loaded by that command alone: see cli/main.ts.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Some of the packages are CommonJS and ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
    },
    plugins: [{ name: 'yaml', setup: importYaml }],
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(directory, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)));
  const { page } = await import(pathToFileURL(resolve(directory, 'manual.js')).href);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(directory, 'daxrepro.1'), page(version));
} catch (error) {
  // What esbuild has to say it has said, and where.
  if (!error.errors) throw error;
  process.exit(1);
}

/** YAML files are parsed here: at each start, parsing would take a tenth of the time until QEMU starts. */
function importYaml(builder) {
  builder.onLoad({ filter: /\.yaml$/ }, ({ path }) => ({
    loader: 'json',
    contents: JSON.stringify(parse(readFileSync(path, 'utf8'))),
  }));
}

/** The licence of each package that went into the bundle: they want to go where the code goes. */
function licences(inputs) {
  const packages = new Set(
    inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []),
  );
  return [...packages]
    .sort()
    .map((path) => {
      const file = readdirSync(join(root, path)).find((name) => /^licen[cs]e/i.test(name));
      const { name, version, license } = JSON.parse(
        readFileSync(join(root, path, 'package.json'), 'utf8'),
      );
      const text = file ? readFileSync(join(root, path, file), 'utf8').trim() : license;
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(72)}\n\n`);
}
