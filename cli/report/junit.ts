import { groupBy } from '../group-by.js';
import type { RunResult } from '../results/run-result.js';
import { type TestCase, testCasesOf } from './test-cases.js';
import { attribute, seconds, text } from './xml.js';

/**
 * JUnit XML for CI systems, valid by junit-10.xsd of Jenkins' xunit plugin, the strictest schema in use.
 * GitHub, GitLab and Jenkins read all of it. (The schema has no `skipped` on `testsuites`.)
 *
 * `fail` is a failure, `invalid` and `error` are errors. `notrun` and expected failures are skipped.
 */
export function formatJunit(result: RunResult): string {
  return formatTestCases(testCasesOf(result.units), result);
}

export function formatTestCases(
  cases: readonly TestCase[],
  { started, durationSeconds }: Pick<RunResult, 'started' | 'durationSeconds'>,
): string {
  const suites = groupBy(cases, ({ suite }) => suite);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="daxrepro" ${counts(cases)} time="${seconds(durationSeconds)}">`,
    ...[...suites].flatMap(([name, own]) => [
      `  <testsuite name="${attribute(name)}" ${counts(own)} skipped="${count(own, 'skipped')}" time="${total(own)}" timestamp="${attribute(started)}">`,
      ...properties(own),
      ...own.flatMap(formatCase),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function count(cases: readonly TestCase[], outcome: TestCase['outcome']): number {
  return cases.filter((one) => one.outcome === outcome).length;
}

function counts(cases: readonly TestCase[]): string {
  return `tests="${cases.length}" failures="${count(cases, 'failure')}" errors="${count(cases, 'error')}"`;
}

function total(cases: readonly TestCase[]): string {
  return seconds(cases.reduce((sum, one) => sum + one.seconds, 0));
}

function properties(cases: readonly TestCase[]): string[] {
  const [first] = cases;
  const common = Object.entries(first?.properties ?? {}).filter(([name, value]) =>
    cases.every((one) => one.properties[name] === value),
  );
  if (common.length === 0) return [];
  return [
    '    <properties>',
    ...common.map(
      ([name, value]) => `      <property name="${name}" value="${attribute(value)}"/>`,
    ),
    '    </properties>',
  ];
}

function formatCase(one: TestCase): string[] {
  const open = `    <testcase classname="${attribute(one.suite)}" name="${attribute(one.name)}" time="${seconds(one.seconds)}"`;
  const inner = formatOutcome(one);
  return inner === undefined ? [`${open}/>`] : [`${open}>`, `      ${inner}`, '    </testcase>'];
}

function formatOutcome({ outcome, type, message, details }: TestCase): string | undefined {
  switch (outcome) {
    case 'passed':
      return message === '' ? undefined : `<system-out>${text(message)}</system-out>`;
    case 'skipped':
      return `<skipped message="${attribute(message)}"/>`;
    default: {
      const body = details.map(text).join('\n');
      return `<${outcome} type="${attribute(type)}" message="${attribute(message)}">${body}</${outcome}>`;
    }
  }
}
