import { FILE_SYSTEMS, type FileSystem } from '../file-systems.js';
import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, exitCodeOf, formatFailure, type Outcome, success } from '../outcome.js';
import { type Durations, knownDurations } from '../run/durations.js';
import { estimateAll } from '../statistics/estimate.js';
import { defaultStore } from '../store/store.js';
import {
  builtinSuiteVersion,
  builtinTests,
  type SuiteTest,
  selectTests,
} from '../suite/builtin.js';
import { chooseTests } from '../suite/choose.js';
import { type ExclusionOptions, withoutExcluded } from '../suite/exclude.js';
import { findTree, testFacts, treeTests } from '../suite/xfstests/tree.js';
import { formatSeconds, plural } from '../words.js';

export interface ListCommandOptions extends ExclusionOptions {
  suite?: string;
  group?: string[];
  json?: boolean;
}

/**
 * `daxrepro list [pattern...]`: the tests, their groups and what they check.
 *
 * Of an xfstests tree the first word may name a file system: then those that apply to it, and what a
 * run would run with these words and options.
 *
 * @param patterns a test that contains one of them is listed; `*` stands for anything, and then the
 *   pattern is the whole id. None lists all.
 * @returns the exit code: 0, or 2 where nothing has such a name or group
 */
export async function listCommand(
  patterns: string[],
  options: ListCommandOptions,
): Promise<number> {
  const suite = options.suite ?? 'builtin';
  const listed = suite === 'builtin' ? listBuiltin(patterns, options) : listTree(patterns, options);
  if (!listed.ok) {
    const lines = formatFailure(listed.failure).split('\n');
    process.stderr.write(`${lines.map(escapeForTerminal).join('\n')}\n`);
    return exitCodeOf(listed.failure);
  }
  const { version, fs } = listed.value;
  const known = await durationsOf(suite === 'builtin' ? 'builtin' : 'xfstests', fs);
  const tests = listed.value.tests.map((test) => {
    const seconds = known.get(test.id);
    return seconds === undefined ? test : { ...test, seconds };
  });
  const name = suite === 'builtin' ? 'builtin' : 'xfstests';
  const json = { schemaVersion: 1, suite: { name, version }, tests };
  process.stdout.write(options.json ? `${JSON.stringify(json, undefined, 2)}\n` : toTable(tests));
  const all = estimateAll(tests.map((test) => known.get(test.id)));
  if (all !== undefined && !options.json) {
    const measured = tests.filter(({ id }) => known.has(id)).length;
    const text = `${plural(tests.length, 'test')}, about ${formatSeconds(all)} one after the other (${measured} measured here)`;
    process.stderr.write(`daxrepro: ${text}\n`);
  }
  return EXIT.ok;
}

/** What was measured on this file system, under emulation where it was, else under KVM. */
async function durationsOf(suite: string, fs: FileSystem | undefined): Promise<Durations> {
  if (fs === undefined) return new Map();
  const of = (accel: string) =>
    knownDurations(defaultStore(), { suite, fs, accel, together: false });
  return new Map([...(await of('kvm')), ...(await of('tcg'))]);
}

interface Listed {
  /** null: of a tree it is known when it is packed. */
  version: string | null;
  tests: SuiteTest[];
  /** Of a tree: the file system that was named. */
  fs?: FileSystem | undefined;
}

function listBuiltin(patterns: string[], options: ListCommandOptions): Outcome<Listed> {
  const chosen = chooseBuiltin(builtinTests(), patterns, options.group ?? []);
  const tests = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  return tests.ok ? success({ version: builtinSuiteVersion(), tests: tests.value }) : tests;
}

function listTree(words: string[], options: ListCommandOptions): Outcome<Listed> {
  const tree = findTree(options.suite ?? '');
  if (!tree.ok) return tree;
  const fs = FILE_SYSTEMS.find((name) => name === words[0]);
  const all = treeTests(tree.value, fs);
  if (!all.ok) return all;
  const ids = fs ? words.slice(1) : words;
  const groups = options.group ?? [];
  const everything = ids.length === 0 && groups.length === 0;
  const chosen = everything ? all : chooseTests(all.value, { ids, groups }, 'xfstests');
  const left = chosen.ok ? withoutExcluded(chosen.value, options) : chosen;
  if (!left.ok) return left;
  const tests = left.value.map((test) => ({
    ...test,
    summary: testFacts(tree.value, test).summary,
  }));
  return success({ version: null, tests, fs });
}

function chooseBuiltin(
  all: SuiteTest[],
  patterns: readonly string[],
  groups: readonly string[],
): Outcome<SuiteTest[]> {
  if (patterns.length === 0 && groups.length === 0) return success(all);
  const ids: string[] = [];
  for (const pattern of patterns) {
    const expression = patternExpression(pattern);
    const matching = all.filter(({ id }) => expression.test(id)).map(({ id }) => id);
    // What matches nothing is taken for an id, so that the answer names what is near.
    ids.push(...(matching.length > 0 ? matching : [pattern]));
  }
  return selectTests(all, { ids, groups });
}

function patternExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.length > 1 ? `^${parts.join('.*')}$` : (parts[0] ?? ''));
}

function toTable(tests: readonly SuiteTest[]): string {
  const rows = tests.map(({ id, groups, summary, fileSystems }) => [
    id,
    groups.join(' '),
    fileSystems ? `${summary} (${fileSystems.join(', ')} only)` : summary,
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [ids, groups] = [width(0), width(1)];
  return rows
    .map(([id = '', group = '', summary = '']) => {
      return `${id.padEnd(ids)}  ${group.padEnd(groups)}  ${summary}\n`;
    })
    .join('');
}
