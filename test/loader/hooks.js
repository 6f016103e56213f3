import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The compiled sources, one file per source, named after its path. The last line is a hash of everything that
 * the rest was compiled from, so an outdated file is never used. Reinstalling node_modules empties the folder.
 */
const cache = fileURLToPath(
  new URL('../../node_modules/.cache/daxrepro-sources/', import.meta.url),
);

const require = createRequire(import.meta.url);
const { version } = require('esbuild/package.json');
const options = {
  loader: 'ts',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'inline',
};

/** `./name.js` stands for name.ts, as in TypeScript. */
export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (source.protocol === 'file:' && existsSync(source)) return next(source.href, context);
  }
  return next(specifier, context);
}

export function load(url, context, next) {
  if (/^file:[^?#]*\.yaml$/.test(url)) {
    const content = require('yaml').parse(readFileSync(fileURLToPath(url), 'utf8'));
    const source = `export default ${JSON.stringify(content)};`;
    return { format: 'module', source, shortCircuit: true };
  }
  if (!/^file:[^?#]*\.ts(?:[?#]|$)/.test(url)) return next(url, context);
  return { format: 'module', source: compiled(fileURLToPath(url)), shortCircuit: true };
}

/** @param path of a TypeScript source */
function compiled(path) {
  const text = readFileSync(path, 'utf8');
  const stamp = `\n//${hash(JSON.stringify([version, options, path, text]))}\n`;
  const file = join(cache, `${hash(path)}.js`);
  const kept = textOf(file);
  if (kept?.endsWith(stamp)) return kept;
  // Loading the compiler takes longer than everything else, so do it only when something must be compiled.
  const { code } = require('esbuild').transformSync(text, { ...options, sourcefile: path });
  keep(file, code + stamp);
  return code;
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Writes the file completely or not at all, because other processes read it at the same time. */
function keep(file, text) {
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(cache, { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, file);
  } catch {
    // Without write permission every run compiles again.
  }
}
