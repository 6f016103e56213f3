import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { parseVersion } from './source-tree.js';

/** The numbers of a kernel's version, as far as they are known before the kernel is looked up. */
export interface NamedVersion {
  version: number;
  patchlevel: number;
  /** undefined: the newest one, whichever it is. */
  sublevel: number | undefined;
}

/** The version that a `--kernel` names; undefined if only a look-up can tell it. Reads at most a Makefile. */
export function namedVersion(spec: string): NamedVersion | undefined {
  const [, pin, series] = /^(?:debian|debsrc):(?:\d+\.\d+=([\d.]+).*|(\d+\.\d+))$/.exec(spec) ?? [];
  if (series !== undefined) return numbersOf(series, undefined);
  if (pin !== undefined) return numbersOf(pin, 0);
  if (spec === 'host') return numbersOf(release(), 0);
  const [, directory] = /^src:(.+)$/.exec(spec) ?? [];
  return directory === undefined ? undefined : versionOfTree(resolve(directory));
}

function numbersOf(text: string, sublevel: number | undefined): NamedVersion | undefined {
  const [, version, patchlevel, last] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  if (version === undefined || patchlevel === undefined) return undefined;
  return {
    version: Number(version),
    patchlevel: Number(patchlevel),
    sublevel: last === undefined ? sublevel : Number(last),
  };
}

function versionOfTree(directory: string): NamedVersion | undefined {
  try {
    const text = parseVersion(readFileSync(join(directory, 'Makefile'), 'utf8'));
    return text === undefined ? undefined : numbersOf(text, 0);
  } catch {
    // A revision of a tree, or a tree that is refused elsewhere.
    return undefined;
  }
}
