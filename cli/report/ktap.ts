import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { TestCase } from './test-cases.js';

/**
 * KTAP 1 (Documentation/dev-tools/ktap.rst of the kernel), readable by `kunit.py parse`: a test for each
 * suite, and its cases as subtests. `invalid` and `error` are `not ok` with the directive ERROR. `notrun` and
 * expected failures are skipped, because kunit.py counts `ok # XFAIL` as passed.
 *
 * kunit.py has no escapes, and takes more for syntax than the specification says: see `plain` and `formatDetail`.
 */
export function formatKtap(cases: readonly TestCase[]): string {
  const suites = [...groupBy(cases, ({ suite }) => suite.replaceAll(/[^A-Za-z0-9._-]+/g, '_'))];
  return [
    'KTAP version 1',
    `1..${suites.length}`,
    ...suites.flatMap(([name, own], index) => [
      '  KTAP version 1',
      `  # Subtest: ${name}`,
      `  1..${own.length}`,
      ...own.flatMap((one, at) => formatCase(one, at + 1, name)).map((line) => `  ${line}`),
      `${summary(own)} ${index + 1} ${name}${own.every(isSkipped) ? ' # SKIP every test' : ''}`,
    ]),
  ].join('\n');
}

/** A suite fails if one of its cases does. */
function summary(cases: readonly TestCase[]): string {
  return cases.every((one) => one.outcome === 'passed' || isSkipped(one)) ? 'ok' : 'not ok';
}

function isSkipped({ outcome }: TestCase): boolean {
  return outcome === 'skipped';
}

/** Details come before the result, as the specification recommends. */
function formatCase(one: TestCase, number: number, suite: string): string[] {
  const { outcome, type, message, details } = one;
  const name = caseName(one, suite);
  switch (outcome) {
    case 'passed':
      return [`ok ${number} ${name}${after('', message)}`];
    case 'skipped':
      return [`ok ${number} ${name}${after('SKIP', message)}`];
    case 'failure':
      return [...details.map(formatDetail), `not ok ${number} ${name}${after('', message)}`];
    case 'error': {
      const directive = after('ERROR', `${type}: ${message}`);
      return [...details.map(formatDetail), `not ok ${number} ${name}${directive}`];
    }
  }
}

/** A directive and its text. A lone `#` would not be valid. */
function after(directive: string, message: string): string {
  const text = [directive, plain(message).trim()].filter((part) => part !== '').join(' ');
  return text === '' ? '' : ` # ${text}`;
}

/** kunit.py takes a result with the suite's name for the suite's own. */
function caseName({ name }: TestCase, suite: string): string {
  const title = plain(name).trim();
  return title === suite ? `${title} (test)` : title || 'unnamed';
}

/** The blanks keep a detail that begins with `Subtest: ` from opening a subtest. */
function formatDetail(line: string): string {
  return `#   ${plain(line)}`;
}

/** kunit.py stops reading at these words, wherever they are. */
const ENDS = /(List of all partitions|Kernel panic - not syncing: VFS|reboot): ?/g;

/** Text in one line, without `#`, which begins a directive: the last ` # SKIP` of a line counts. */
function plain(text: string): string {
  return escapeForTerminal(text)
    .replaceAll('#', '\\x23')
    .replaceAll(ENDS, (words) => words.replace(/: ?$/, '\\x3a '));
}
