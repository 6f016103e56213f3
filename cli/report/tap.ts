import { stringify } from 'yaml';
import { escapeForTerminal } from '../findings/escape.js';
import type { TestCase } from './test-cases.js';

/**
 * TAP version 14 (testanything.org), which version 13 parsers accept: a line for each test case, and a
 * YAML block below those that did not pass.
 */
export function formatTap(cases: readonly TestCase[]): string {
  return [
    'TAP version 14',
    `1..${cases.length}`,
    ...cases.flatMap((one, index) => formatCase(one, index + 1)),
  ].join('\n');
}

function formatCase({ suite, name, seconds, outcome, ...rest }: TestCase, number: number) {
  const { type, message, details } = rest;
  const title = `${number} - ${description(`${suite} ${name}`)}`;
  if (outcome === 'skipped') return [`ok ${title} # SKIP ${description(message)}`];
  const duration_ms = Math.round(seconds * 1000);
  return outcome === 'passed'
    ? [`ok ${title}`, ...diagnostics({ duration_ms, ...(message === '' ? {} : { message }) })]
    : [`not ok ${title}`, ...diagnostics({ message, type, duration_ms, details })];
}

/** `#` begins a directive. */
function description(text: string): string {
  return escapeForTerminal(text).replaceAll(/[\\#]/g, '\\$&');
}

function diagnostics(values: Record<string, string | number | readonly string[]>): string[] {
  const escaped = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'string'
        ? escapeForTerminal(value)
        : typeof value === 'number'
          ? value
          : value.map(escapeForTerminal),
    ]),
  );
  const yaml = stringify(escaped, {
    lineWidth: 0,
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
  });
  return ['---', ...yaml.trimEnd().split('\n'), '...'].map((line) => `  ${line}`);
}
