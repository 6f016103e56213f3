import { readFileSync } from 'node:fs';
import type { FileSystem } from '../file-systems.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { MutantPlace } from '../results/mutation-result.js';
import { packageRoot } from '../version.js';

/** Chooses the places in whose functions and files mutants are made. */

export interface Scope {
  /** How the functions were chosen, in words. */
  functions: string;
  files: string[];
  includes: (place: Pick<MutantPlace, 'file' | 'function'>) => boolean;
}

export interface ScopeOptions {
  /** Comma-separated names and patterns, or `all`. */
  functions?: string | undefined;
  /** Comma-separated paths and patterns. */
  files?: string | undefined;
}

export function scopeOf(fs: FileSystem, { functions, files }: ScopeOptions): Outcome<Scope> {
  const chosen = functionsOf(fs, functions);
  if (!chosen.ok) return chosen;
  const paths = listOf(files);
  const patterns = paths.map(fileMatcher);
  return success({
    functions: chosen.value.words,
    files: paths,
    includes: ({ file, function: name }) =>
      chosen.value.includes(name) &&
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(file))),
  });
}

/** The functions that the built-in tests reach: kernels/mutations/functions has the lists. */
export function reachedFunctions(fs: FileSystem): ReadonlySet<string> {
  const file = new URL(`kernels/mutations/functions/${fs}.txt`, packageRoot);
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}

function functionsOf(
  fs: FileSystem,
  asked: string | undefined,
): Outcome<{ words: string; includes: (name: string) => boolean }> {
  if (asked === 'all') return success({ words: 'all functions', includes: () => true });
  if (asked === undefined) {
    const reached = reachedFunctions(fs);
    return success({
      words: `the ${reached.size} functions that the built-in tests reach`,
      includes: (name) => reached.has(name),
    });
  }
  const names = listOf(asked);
  const wrong = names.find((name) => !/^[A-Za-z0-9_*?]+$/.test(name));
  if (names.length === 0 || wrong !== undefined) {
    return failure(
      'usage',
      `--functions ${JSON.stringify(wrong ?? asked)} is not the name of a function`,
      'Give names or patterns, separated by commas, such as ext2_sync_*, or all',
    );
  }
  const patterns = names.map((name) => globMatcher(name, ''));
  return success({
    words: names.join(', '),
    includes: (name) => patterns.some((pattern) => pattern.test(name)),
  });
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}

/** `inode.c` matches in every directory, `libxfs/*.c` below one. */
function fileMatcher(glob: string): RegExp {
  return globMatcher(glob, '(?:.*/)?');
}

function globMatcher(glob: string, before: string): RegExp {
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${before}${source}$`);
}
