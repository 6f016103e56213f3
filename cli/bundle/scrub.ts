import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeptInputs } from '../inputs/read.js';
import type { Inputs } from '../inputs/schema.js';
import { defaultStore } from '../store/store.js';
import { packageRoot } from '../version.js';

/** Removes paths of this machine from the files of a bundle. */

export type Scrub = (text: string) => string;

/**
 * Paths of input files become the names of their copies. The run's directory, the cache, daxrepro's own
 * directory and the home directory become `.`, `$CACHE`, `$DAXREPRO` and `~`. Of paths in a kernel spec
 * or of the suite, the last part remains.
 */
export function scrubber(directory: string, ran: string, { inputs }: KeptInputs): Scrub {
  const rules: [path: string, instead: string][] = [
    ...inputs.files.flatMap(({ from, name }): [string, string][] =>
      from === undefined ? [] : [[from, `inputs/${name}`]],
    ),
    ...localPaths(inputs).map((path): [string, string] => [path, basename(path)]),
    ...[directory, ran].map((path): [string, string] => [path, '.']),
    ...[directory, ran].map((path): [string, string] => [dirname(path), '..']),
    [defaultStore().root, '$CACHE'],
    [fileURLToPath(packageRoot).replace(/\/$/, ''), '$DAXREPRO'],
    [homedir(), '~'],
  ];
  // The longest path first, so that a known file in the home directory matches its own rule.
  const sorted = rules
    .filter(([path]) => path.startsWith('/') && path.length > 1)
    .sort(([a], [b]) => b.length - a.length);
  return (text) => sorted.reduce((left, [path, instead]) => replacePath(left, path, instead), text);
}

/** Replaces whole names only: /home/me does not match in /home/mel. */
function replacePath(text: string, path: string, instead: string): string {
  const pattern = path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replaceAll(new RegExp(`${pattern}(?![A-Za-z0-9_-])`, 'g'), () => instead);
}

function localPaths(inputs: Inputs): string[] {
  const specs = inputs.requests.flatMap(({ kernel, cc }) => [...pathsIn(kernel), cc]);
  const programs = inputs.requests.flatMap(({ userland, packages = [] }) => [
    userland,
    ...packages.map(({ from }) => TREE.exec(from)?.[1]),
  ]);
  const all = [...specs, ...programs, inputs.suiteDirectory, inputs.treeDirectory];
  return all.filter((path) => path?.startsWith('/')) as string[];
}

/** The tree of a package: `/home/me/xfsprogs v6.13 (0123456789ab)`. */
const TREE = /^(\/.*?)(?: [\w.+/-]+)? \([0-9a-f]{12}\)$/;

/** The paths in `src:DIR[@REV]` and `image:BZIMAGE[,MODULES-DIR]`. */
function pathsIn(spec: string): string[] {
  const [, rest = ''] = /^(?:src|image):(.*)$/s.exec(spec) ?? [];
  return rest.split(/[,@]/).filter((part) => part.startsWith('/'));
}

/** Scrubs the command line. Of paths without a rule, the last part remains. */
export function scrubCommand(command: readonly string[], scrub: Scrub): string[] {
  return command.map((word) => scrub(word).replace(/(^|[=:,])\/[^,@]*/g, shorten));
}

function shorten(path: string): string {
  const [, before = '', rest = ''] = /^([=:,]?)(.*)$/s.exec(path) ?? [];
  return `${before}${basename(rest)}`;
}
