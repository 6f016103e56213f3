import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nearest } from '../nearest.js';
import { failure, type Outcome, success } from '../outcome.js';
import { packageRoot } from '../version.js';
import { isBuiltFromSource } from './kernel.js';

/** `--debug kasan,lockdep`: configuration fragments of ours, in `kernels/debug/`, one for each name. */

const FOLDER = new URL('kernels/debug/', packageRoot);

export function debugOptions(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.config'))
    .map((name) => name.replace(/\.config$/, ''))
    .sort();
}

/** The names in comma-separated lists, each once. */
export function debugNames(lists: readonly string[]): string[] {
  return [...new Set(lists.flatMap((list) => list.split(',')).filter(Boolean))];
}

/** @returns the fragments' paths, in the order of the names */
export function debugFragments(
  lists: readonly string[],
  kernel: string,
): Outcome<readonly string[]> {
  const known = debugOptions();
  const wanted = debugNames(lists);
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    return failure(
      'usage',
      `--debug ${JSON.stringify(name)} is not known`,
      `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}Use one or more of ${known.join(', ')}`,
    );
  }
  if (wanted.length > 0 && !isBuiltFromSource(kernel)) {
    const version = /^debian:(\d+\.\d+)/.exec(kernel)?.[1] ?? '6.1';
    return failure(
      'usage',
      `--debug with --kernel ${kernel}: that kernel already has its configuration`,
      `Use a kernel that is built from source, such as --kernel debsrc:${version}`,
    );
  }
  if (wanted.includes('kasan') && wanted.includes('kcsan')) {
    return failure(
      'usage',
      '--debug kasan,kcsan: a kernel can have only one of them',
      'Choose one',
    );
  }
  return success(wanted.map((name) => fileURLToPath(new URL(`${name}.config`, FOLDER))));
}
