import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { storageFailure } from '../store/store.js';
import { BASE } from '../variant/variant.js';
import { numbered } from '../words.js';

/**
 * The layout of a run's directory:
 *
 *     <parent>/<time>-<fs>-<test>-<process>/
 *         result.json results.xml      written last, completely or not at all
 *         inputs/                      copies of the inputs; see ../inputs/schema.ts
 *         001-ext2-generic-002/        one folder per unit, in order
 *             console.log events.jsonl qemu-argv.json unit.json …
 */

/** `$XDG_STATE_HOME/daxrepro/runs`, as in the XDG base directory specification. */
export function defaultRunsDirectory(): string {
  const base = process.env['XDG_STATE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.local/state'), 'daxrepro/runs');
}

export function makeRunDirectory(
  parent: string,
  first: Pick<Unit, 'fs' | 'test'>,
  started: Date,
): Outcome<string> {
  const time = started
    .toISOString()
    .replaceAll(/[-:]|\..*/g, '')
    .replace('T', '-');
  // The process id makes the name unique among runs that start in the same second.
  const name = `${time}-${first.fs}-${slug(testName(first.test))}-${process.pid}`;
  const directory = join(resolve(parent), name);
  try {
    makeDirectories(directory);
    return success(directory);
  } catch (error) {
    return storageFailure(parent, error);
  }
}

/**
 * Makes a directory and its parents. Node 20's recursive mkdir loops forever if mkdir(2) returns ENOENT
 * in an existing directory, as in /proc.
 */
function makeDirectories(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeDirectories(dirname(path));
    makeDirectories(path);
  }
}

/** The name of a unit's folder in the run's directory. */
export function unitFolder(unit: Unit, index: number): string {
  const attempt = unit.attempt > 1 ? `-attempt-${unit.attempt}` : '';
  const kernel = unit.askedKernel === undefined ? '' : `-${slug(unit.askedKernel)}`;
  const variant = unit.variant === BASE.name ? '' : `-${slug(unit.variant)}`;
  return `${numbered(index)}-${unit.fs}-${slug(testName(unit.test))}${kernel}${variant}${attempt}`;
}

/** Of a file of the user's, its name without the directory. */
function testName(test: string): string {
  return /^\.{0,2}\//.test(test) ? basename(test) : test;
}

function slug(text: string): string {
  // A variant's name may be the subject of a mail.
  return text.replaceAll(/[^A-Za-z0-9.]+/g, '-').slice(0, 60);
}

export function writeJson(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * The same text as `JSON.stringify(value, null, 2)`, in pieces: the text of a large run is longer than a
 * string can be.
 */
export function* jsonPieces(value: object): Generator<string> {
  let opened = '{\n';
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    yield `${opened}  ${JSON.stringify(name)}: `;
    opened = ',\n';
    if (!Array.isArray(inner) || inner.length === 0) yield indented(inner, '  ');
    else yield* arrayPieces(inner);
  }
  yield opened === '{\n' ? '{}' : '\n}';
}

function* arrayPieces(values: readonly unknown[]): Generator<string> {
  for (const [at, one] of values.entries()) {
    yield `${at === 0 ? '[' : ','}\n    ${indented(one ?? null, '    ')}`;
  }
  yield '\n  ]';
}

/** A string of JSON has no line ends within its texts. */
function indented(value: unknown, by: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`);
}

/** Writes a large document as `writeJson` does. */
export function writeDocument(file: string, value: object): void {
  const descriptor = openSync(`${file}.part`, 'w');
  try {
    let text = '';
    for (const piece of jsonPieces(value)) {
      text += piece;
      if (text.length < 1 << 20) continue;
      writeFileSync(descriptor, text);
      text = '';
    }
    writeFileSync(descriptor, `${text}\n`);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.part`, file);
}

/** Writes a file atomically: readers never see a part of it. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
