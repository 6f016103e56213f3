import { alignColumns } from '../columns.js';
import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, exitCodeOf, formatFailure } from '../outcome.js';
import { type Durations, knownDurations } from '../run/durations.js';
import { estimateAll } from '../statistics/estimate.js';
import { defaultStore } from '../store/store.js';
import type { SuiteTest } from '../suite/builtin.js';
import { type ListedTests, type ListOptions, listTests } from '../suite/list.js';
import { formatSeconds, plural } from '../words.js';
import { type SuiteOptions, withSuite } from './suite.js';

export interface ListCommandOptions extends ListOptions, SuiteOptions {
  json?: boolean;
}

/**
 * `daxrepro list [pattern...]`: prints the tests, their groups and what they check.
 *
 * @returns the exit code: 0, or 2 if no test or group has such a name
 */
export async function listCommand(
  patterns: string[],
  options: ListCommandOptions,
): Promise<number> {
  const overlaid = await withSuite(patterns, options);
  const listed = overlaid.ok ? listTests(overlaid.value.words, overlaid.value.options) : overlaid;
  if (!listed.ok) {
    const lines = formatFailure(listed.failure).split('\n');
    process.stderr.write(`${lines.map(escapeForTerminal).join('\n')}\n`);
    return exitCodeOf(listed.failure);
  }
  const { suite, version } = listed.value;
  const known = await durationsOf(listed.value);
  const tests = listed.value.tests.map((test) => {
    const seconds = known.get(test.id);
    return seconds === undefined ? test : { ...test, seconds };
  });
  const json = { schemaVersion: 1, suite: { name: suite, version }, tests };
  process.stdout.write(options.json ? `${JSON.stringify(json, undefined, 2)}\n` : toTable(tests));
  if (!options.json) sayEstimate(tests, known);
  return EXIT.ok;
}

/** Durations measured on this file system: under emulation if known, else under KVM. */
async function durationsOf({ suite, fs }: ListedTests): Promise<Durations> {
  if (fs === undefined) return new Map();
  const of = (accel: string) =>
    knownDurations(defaultStore(), { suite, fs, accel, together: false });
  return new Map([...(await of('kvm')), ...(await of('tcg'))]);
}

function sayEstimate(tests: readonly SuiteTest[], known: Durations): void {
  const all = estimateAll(tests.map((test) => known.get(test.id)));
  if (all === undefined) return;
  const measured = tests.filter(({ id }) => known.has(id)).length;
  const text = `${plural(tests.length, 'test')}, about ${formatSeconds(all)} one after the other (${measured} measured here)`;
  process.stderr.write(`daxrepro: ${text}\n`);
}

function toTable(tests: readonly SuiteTest[]): string {
  const rows = tests.map(({ id, groups, summary, fileSystems, needs = [] }) => [
    id,
    groups.join(' '),
    [
      summary,
      ...(fileSystems ? [`(${fileSystems.join(', ')} only)`] : []),
      ...needs.map((option) => `(needs --${option})`),
    ].join(' '),
  ]);
  return alignColumns(rows)
    .map((line) => `${line}\n`)
    .join('');
}
