import type { TestCase } from './test-cases.js';
import { attribute, seconds, text } from './xml.js';

/**
 * XML as `check -R xunit` of xfstests writes it, valid by the tree's doc/xunit.xsd. A section of `check` is
 * a testsuite: the units that share a file system, a kernel, changes and pmem. A single section is the root
 * element, as in the tree's result.xml; several are `testsuites`.
 *
 * The schema counts failures and skipped tests, and nothing else. Scripts subtract both from the number of
 * tests to get the passed ones, so `failures` includes the errors: a test without a verdict did not pass.
 */

export interface XunitSection {
  /** A token for SECTION and class names: `ext2-memmap-base`. */
  name: string;
  /** Each attempt is a testcase with the same name, as with `check -i`. */
  cases: XunitCase[];
  /** Names are those of `check` where it has them. */
  properties: Record<string, string>;
  /** When its first run and its last test began; undefined if unknown. */
  started: Date | undefined;
  lastStarted: Date | undefined;
  durationSeconds: number;
}

export interface XunitCase extends Pick<TestCase, 'seconds' | 'outcome' | 'message' | 'details'> {
  /** The test's id: `generic/002`. */
  name: string;
  /** The kernel's reports about this test. */
  kernelLog: string[];
}

const NAMESPACE = 'https://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git';

/** Ends without a line break. @param now when the report is made */
export function formatXunit(sections: readonly XunitSection[], now: Date): string {
  const [only] = sections;
  const root =
    only && sections.length === 1
      ? suite(only, { now, indent: '', attributes: ` xmlns="${NAMESPACE}"` })
      : [
          `<testsuites xmlns="${NAMESPACE}">`,
          ...sections.flatMap((one, id) => {
            const attributes = ` package="${attribute(one.name)}" id="${id}"`;
            return suite(one, { now, indent: '  ', attributes });
          }),
          '</testsuites>',
        ];
  return ['<?xml version="1.0" encoding="UTF-8"?>', ...root].join('\n');
}

interface Place {
  now: Date;
  indent: string;
  attributes: string;
}

function suite(section: XunitSection, { now, indent, attributes }: Place): string[] {
  const { name, cases, properties, durationSeconds } = section;
  const count = (...outcomes: TestCase['outcome'][]) =>
    cases.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const counts = `failures="${count('failure', 'error')}" skipped="${count('skipped')}" tests="${cases.length}"`;
  return [
    `<testsuite${attributes} name="xfstests" ${counts} time="${seconds(durationSeconds)}" hostname="localhost"`,
    `  ${timestamps(section, now)}>`,
    '  <properties>',
    ...Object.entries(properties)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => `    <property name="${key}" value="${attribute(value)}"/>`),
    '  </properties>',
    ...cases.flatMap((one) => formatCase(one, name).map((line) => `  ${line}`)),
    '</testsuite>',
  ].map((line) => `${indent}${line}`);
}

function timestamps(section: XunitSection, now: Date): string {
  const { started = now, lastStarted = started } = section;
  return `start_timestamp="${time(started)}" timestamp="${time(lastStarted)}" report_timestamp="${time(now)}"`;
}

/** The schema requires an offset, and allows neither Z nor fractions. */
function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, '+00:00');
}

function formatCase(one: XunitCase, section: string): string[] {
  const inner = [...formatOutcome(one), ...formatLog(one.kernelLog)];
  const open = `<testcase classname="xfstests.${attribute(section)}" name="${attribute(one.name)}" time="${seconds(one.seconds)}"`;
  if (inner.length === 0) return [`${open}/>`];
  return [`${open}>`, ...inner.map((line) => `  ${line}`), '</testcase>'];
}

/** The type of a failure is the one that `check` writes. */
function formatOutcome({ outcome, message, details }: XunitCase): string[] {
  switch (outcome) {
    case 'passed':
      return message === '' ? [] : [`<system-out>${text(message)}</system-out>`];
    case 'skipped':
      return [`<skipped message="${attribute(message)}"/>`];
    default: {
      const type = outcome === 'failure' ? 'TestFail' : 'TestError';
      const body = details.map(text).join('\n');
      return [`<${outcome} message="${attribute(message)}" type="${type}">${body}</${outcome}>`];
    }
  }
}

function formatLog(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`<kernel-log>${lines.map(text).join('\n')}</kernel-log>`];
}
