import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeptInputs } from '../inputs/read.js';
import type { Inputs } from '../inputs/schema.js';
import { defaultStore } from '../store/store.js';
import { packageRoot } from '../version.js';

/** Takes the paths of this machine out of what leaves it. */

export type Scrub = (text: string) => string;

/**
 * Paths that went into the run become the names of their copies; the run's directory, the cache, the
 * program's own place and the home directory become `.`, `$CACHE`, `$DAXREPRO` and `~`; what a kernel's
 * spec or the suite names keeps its last part.
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
  // The longest first: a file in the home directory is that file.
  const sorted = rules
    .filter(([path]) => path.startsWith('/') && path.length > 1)
    .sort(([a], [b]) => b.length - a.length);
  return (text) => sorted.reduce((left, [path, instead]) => replacePath(left, path, instead), text);
}

/** Not where the path goes on with another letter: /home/me is not in /home/mel. */
function replacePath(text: string, path: string, instead: string): string {
  const pattern = path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replaceAll(new RegExp(`${pattern}(?![A-Za-z0-9_-])`, 'g'), () => instead);
}

function localPaths(inputs: Inputs): string[] {
  const specs = inputs.requests.flatMap(({ kernel, cc }) => [...pathsIn(kernel), cc]);
  return [...specs, inputs.suiteDirectory, inputs.treeDirectory].filter((path) =>
    path?.startsWith('/'),
  ) as string[];
}

/** Of `src:DIR[@REV]` and `image:BZIMAGE[,MODULES-DIR]`. */
function pathsIn(spec: string): string[] {
  const [, rest = ''] = /^(?:src|image):(.*)$/s.exec(spec) ?? [];
  return rest.split(/[,@]/).filter((part) => part.startsWith('/'));
}

/** What was typed: of a path that no rule knows the last part is left. */
export function scrubCommand(command: readonly string[], scrub: Scrub): string[] {
  return command.map((word) => scrub(word).replace(/(^|[=:,])\/[^,@]*/g, shorten));
}

function shorten(path: string): string {
  const [, before = '', rest = ''] = /^([=:,]?)(.*)$/s.exec(path) ?? [];
  return `${before}${basename(rest)}`;
}
