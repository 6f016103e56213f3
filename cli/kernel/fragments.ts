import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { failure, type Outcome, type Place, success } from '../outcome.js';
import { packageRoot } from '../version.js';
import { configured } from './configuration.js';

/**
 * Configuration fragments: what a kernel that we build has on top of the smallest one. The lines
 * are Kconfig's (`CONFIG_X=y`, `# CONFIG_X is not set`). We add one rule: a paragraph that begins
 * with `# optional` holds settings that a tree may lack or drop.
 */

export interface Setting {
  /** Without `CONFIG_`. */
  symbol: string;
  /** `y`, `m`, `n`, a number, or a string in quotes. */
  value: string;
  optional: boolean;
  place: Place;
}

/** Our own, in `kernels/fragments/`, in merge order. */
const FRAGMENTS = ['base', 'pmem', 'filesystems', 'evidence', 'xfstests'] as const;

/** @returns a failure with its place if the text is not a fragment */
export function parseFragment(text: string, file: string): Outcome<Setting[]> {
  const settings: Setting[] = [];
  let optional = false;
  let fresh = true;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const place = { file, line: index + 1 };
    if (line === '') {
      optional = false;
      fresh = true;
      continue;
    }
    if (fresh) optional = /^#\s*optional\b/i.test(line);
    fresh = false;
    const off = line.match(/^# CONFIG_(\w+) is not set$/);
    if (off?.[1]) {
      settings.push({ symbol: off[1], value: 'n', optional, place });
      continue;
    }
    if (line.startsWith('#')) continue;
    const set = line.match(/^CONFIG_(\w+)=(y|m|n|-?\d+|0x[0-9a-fA-F]+|"(?:[^"\\]|\\.)*")$/);
    if (!set?.[1] || set[2] === undefined) {
      return failure(
        'usage',
        `This is not a line of a kernel configuration: ${line}`,
        'Write CONFIG_NAME=y (or m, n, a number, a "string"), or # CONFIG_NAME is not set',
        { place },
      );
    }
    settings.push({ symbol: set[1], value: set[2], optional, place });
  }
  return success(settings);
}

/** Our own fragments. An error in one is a bug and throws. */
export async function ownSettings(
  directory: URL = new URL('kernels/fragments/', packageRoot),
): Promise<Setting[]> {
  const all: Setting[] = [];
  for (const name of FRAGMENTS) {
    const file = `kernels/fragments/${name}.config`;
    const text = await readFile(new URL(`${name}.config`, directory), 'utf8');
    const parsed = parseFragment(text, file);
    if (!parsed.ok)
      throw new Error(`${file}:${parsed.failure.place?.line}: ${parsed.failure.message}`);
    all.push(...parsed.value);
  }
  return all;
}

/** The fragments of `--kconfig`. */
export async function readFragments(files: readonly string[]): Promise<Outcome<Setting[]>> {
  const all: Setting[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (typeof text !== 'string') {
      const why = text.code === 'ENOENT' ? 'no such file' : (text.code ?? text.message);
      return failure('unreadable', `Cannot read the configuration fragment: ${why}`, NAME_ONE, {
        place: { file },
      });
    }
    const parsed = parseFragment(text, file);
    if (!parsed.ok) return parsed;
    if (parsed.value.length === 0) {
      return failure('usage', 'This fragment has no settings', NAME_ONE, {
        place: { file, line: 1 },
      });
    }
    all.push(...parsed.value);
  }
  return success(all);
}

const NAME_ONE = 'Give a file with lines such as CONFIG_LOCKDEP=y';

/**
 * One setting per symbol; the last one wins. A user's fragment may add settings and change optional
 * ones, but may not remove what a guest needs.
 */
export function mergeSettings(
  own: readonly Setting[],
  users: readonly Setting[],
): Outcome<Setting[]> {
  const merged = new Map(own.map((setting) => [setting.symbol, setting]));
  for (const setting of users) {
    const ours = merged.get(setting.symbol);
    if (ours && !ours.optional && !isAtLeast(setting.value, ours.value)) {
      return failure(
        'usage',
        `CONFIG_${setting.symbol}=${setting.value} is not possible: ${whyNeeded(ours)}`,
        `Remove this line; ${ours.place.file}:${ours.place.line} requires ${ours.value}`,
        { place: setting.place },
      );
    }
    merged.set(setting.symbol, setting);
  }
  return success([...merged.values()]);
}

function whyNeeded({ symbol, place }: Setting): string {
  if (symbol === 'FS_DAX')
    return 'without it no file system supports DAX, and there is nothing to test';
  const part = basename(place.file, '.config');
  return part === 'pmem' || part === 'filesystems'
    ? 'the tests need it'
    : 'a guest does not boot without it';
}

/** Whether `actual` satisfies `wanted`: built in is better than a module. */
function isAtLeast(actual: string, wanted: string): boolean {
  return actual === wanted || (wanted === 'm' && actual === 'y');
}

/** The text of a file for Kconfig. */
export function formatSettings(settings: readonly Setting[]): string {
  return settings
    .map(({ symbol, value }) =>
      value === 'n' ? `# CONFIG_${symbol} is not set\n` : `CONFIG_${symbol}=${value}\n`,
    )
    .join('');
}

/** The settings that a kernel's finished `.config` lacks, optional ones apart. */
export function lostSettings(
  configuration: string,
  settings: readonly Setting[],
): { required: Setting[]; optional: Setting[] } {
  const lost = settings.filter(({ symbol, value }) => {
    const actual = configured(configuration, symbol) ?? 'n';
    return !isAtLeast(actual, value.replace(/^"(.*)"$/, '$1'));
  });
  return {
    required: lost.filter(({ optional }) => !optional),
    optional: lost.filter(({ optional }) => optional),
  };
}
