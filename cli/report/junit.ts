import { escapeForTerminal } from '../findings/escape.js';
import { unitName } from '../plan/unit.js';
import type { RunResult, UnitResult } from '../run/result.js';
import { describeExplanation } from './explanation.js';
import { describeEvidence, describeOthers, type FindingGroup, groupFindings } from './findings.js';
import { explainUnwritten } from './unwritten.js';

/**
 * A run as JUnit's XML, which CI systems read. There is no standard; the elements are those that the
 * common readers know (testsuites, testsuite, testcase, failure, error, skipped, system-out).
 *
 * `fail` is a failure, `invalid` and `error` are errors, `notrun` is skipped; so is a failure that was
 * expected.
 */
export function formatJunit(result: RunResult): string {
  const suites = new Map<string, UnitResult[]>();
  for (const unit of result.units) {
    const name = `daxrepro.${unit.suite.name}.${unit.fs}`;
    suites.set(name, [...(suites.get(name) ?? []), unit]);
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="daxrepro" ${counts(result.units)} time="${result.durationSeconds}">`,
    ...[...suites].flatMap(([name, units]) => [
      `  <testsuite name="${attribute(name)}" ${counts(units)} time="${total(units)}" timestamp="${attribute(result.started)}">`,
      ...properties(units),
      ...units.flatMap((unit) => testCase(name, unit)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function counts(units: readonly UnitResult[]): string {
  const count = (kind: Kind) => units.filter((unit) => kindOf(unit) === kind).length;
  return `tests="${units.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
}

function total(units: readonly UnitResult[]): number {
  return Math.round(units.reduce((sum, unit) => sum + unit.durationSeconds, 0) * 100) / 100;
}

type Kind = 'passed' | 'failure' | 'error' | 'skipped';

function kindOf({ verdict, expectedFailure }: UnitResult): Kind {
  switch (verdict) {
    case 'pass':
      return 'passed';
    case 'fail':
      return expectedFailure?.held ? 'skipped' : 'failure';
    case 'notrun':
      return 'skipped';
    default:
      return 'error';
  }
}

function properties([first]: readonly UnitResult[]): string[] {
  if (!first) return [];
  const { kernel, pmem, accel, suite } = first;
  const known = {
    kernel: kernel.release,
    'kernel.spec': kernel.spec,
    'kernel.id': kernel.id,
    pmem,
    accel,
    'suite.version': suite.version,
  };
  return [
    '    <properties>',
    ...Object.entries(known).map(
      ([name, value]) => `      <property name="${name}" value="${attribute(value)}"/>`,
    ),
    '    </properties>',
  ];
}

function testCase(suite: string, unit: UnitResult): string[] {
  const attempt = unit.attempt > 1 ? ` (attempt ${unit.attempt})` : '';
  // The suite's name has the file system.
  const name = unitName({ ...unit, fs: '' }).trim() + attempt;
  const open = `    <testcase classname="${attribute(suite)}" name="${attribute(name)}" time="${unit.durationSeconds}"`;
  const inner = outcomeOf(unit);
  return inner.length === 0 ? [`${open}/>`] : [`${open}>`, ...inner, '    </testcase>'];
}

function outcomeOf(unit: UnitResult): string[] {
  const kind = kindOf(unit);
  const message =
    unit.verdict === 'fail' && unit.expectedFailure?.held
      ? `expected to fail: ${unit.expectedFailure.reason}; ${unit.reason}`
      : unit.reason;
  if (kind === 'passed') {
    return unit.expectedFailure
      ? [
          `      <system-out>${text(`it was expected to fail: ${unit.expectedFailure.reason}`)}</system-out>`,
        ]
      : [];
  }
  if (kind === 'skipped') return [`      <skipped message="${attribute(message)}"/>`];
  const type = unit.outcome ?? unit.verdict;
  const details = groupFindings(unit.findings).flatMap((group) => describeGroup(group, unit));
  const why = explainUnwritten(unit.unwritten).map((sentence) => `why: ${sentence}`);
  const again = describeExplanation(unit.explanation).map((sentence) => `explain: ${sentence}`);
  const body = [unit.reason, ...details, ...why, ...again, `replay: ${unit.replay}`]
    .map(text)
    .join('\n');
  return [
    `      <${kind} type="${attribute(type)}" message="${attribute(message)}">${body}</${kind}>`,
  ];
}

/** The first of a kind, how many more there are, and what the medium shows of their inodes. */
function describeGroup(group: FindingGroup, { omitted = [] }: UnitResult): string[] {
  const { tool, severity, signature, message } = group.finding;
  const more = omitted.find((one) => one.signature === signature)?.count ?? 0;
  const others = describeOthers({ ...group, count: group.count + more });
  return [
    `${tool} (${severity}): ${message} [${signature}]`,
    ...(others === undefined ? [] : [`  ${others}`]),
    ...describeEvidence(group).map((sentence) => `  ${sentence}`),
  ];
}

/** Text of the guest holds what XML 1.0 has no way to write. */
function text(value: string): string {
  return escapeForTerminal(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\uFFFE\uFFFF]/g, '\uFFFD');
}

function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;');
}
