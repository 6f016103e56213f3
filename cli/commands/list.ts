import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, exitCodeOf, formatFailure, type Outcome, success } from '../outcome.js';
import {
  builtinSuiteVersion,
  builtinTests,
  type SuiteTest,
  selectTests,
} from '../suite/builtin.js';

export interface ListCommandOptions {
  group?: string[];
  json?: boolean;
}

/**
 * `daxrepro list [pattern...]`: the built-in tests, their groups and what they check.
 *
 * @param patterns a test that contains one of them is listed; `*` stands for anything, and then the
 *   pattern is the whole id. None lists all.
 * @returns the exit code: 0, or 2 where nothing has such a name or group
 */
export async function listCommand(
  patterns: string[],
  options: ListCommandOptions,
): Promise<number> {
  const listed = chooseTests(builtinTests(), patterns, options.group ?? []);
  if (!listed.ok) {
    const lines = formatFailure(listed.failure).split('\n');
    process.stderr.write(`${lines.map(escapeForTerminal).join('\n')}\n`);
    return exitCodeOf(listed.failure);
  }
  process.stdout.write(options.json ? toJson(listed.value) : toTable(listed.value));
  return EXIT.ok;
}

function chooseTests(
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

function toJson(tests: readonly SuiteTest[]): string {
  const suite = { name: 'builtin', version: builtinSuiteVersion() };
  return `${JSON.stringify({ schemaVersion: 1, suite, tests }, undefined, 2)}\n`;
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
