import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import { plural } from '../words.js';
import type { TestCase } from './test-cases.js';

/**
 * Annotations of GitHub Actions as workflow commands, the most important first. GitHub shows ten of a step
 * and drops the others, so test cases with the same problem share one, and the tenth names what is left.
 */

const MOST_ANNOTATIONS = 10;
/** GitHub cuts longer titles and messages. */
const LONGEST_TITLE = 200;
const LONGEST_MESSAGE = 4000;
const MOST_NAMES = 20;
const MOST_DETAILS = 30;

type Level = 'error' | 'warning' | 'notice';

/** Ends without a line break; empty if there is nothing to say. */
export function formatGithub(cases: readonly TestCase[]): string {
  if (cases.length === 0) return annotation('error', 'daxrepro', ['nothing ran']);
  const notable = cases.filter(({ outcome, message }) => rank(outcome, message) !== undefined);
  const groups = [...groupBy(notable, problemOf).values()]
    .map((group) => group as [TestCase, ...TestCase[]])
    .sort(([a], [b]) => importance(a) - importance(b));
  const shown = groups.length > MOST_ANNOTATIONS ? MOST_ANNOTATIONS - 1 : groups.length;
  return [...groups.slice(0, shown).map(describe), ...describeRest(groups.slice(shown))].join('\n');
}

/** Cases that differ in numbers have the same problem. */
function problemOf({ outcome, type, message, severity }: TestCase): string {
  return JSON.stringify([outcome, type, severity, message.replaceAll(/\d+/g, '0')]);
}

/** undefined for a case that needs no annotation. */
function rank(outcome: TestCase['outcome'], message: string): number | undefined {
  const ranks = {
    failure: 0,
    error: 4,
    passed: message === '' ? undefined : 5,
    skipped: undefined,
  };
  return ranks[outcome];
}

/** Corruption comes first, then other failures, then tests without a verdict, then unexpected passes. */
function importance({ outcome, message, severity }: TestCase): number {
  const findings = { corruption: 0, repairable: 1, notice: 2, none: 3 };
  const detail = outcome === 'failure' ? findings[severity ?? 'none'] : 0;
  return (rank(outcome, message) ?? 0) + detail;
}

function describe(group: readonly [TestCase, ...TestCase[]]): string {
  const [first] = group;
  const { outcome, type, message, details } = first;
  const others = group.length > 1 ? ` and ${group.length - 1} more` : '';
  const title = `${type}: ${nameOf(first)}${others}`;
  const body = outcome === 'passed' ? [] : details.slice(0, MOST_DETAILS);
  const level = outcome === 'passed' ? 'notice' : 'error';
  const rest = body.filter((line) => line !== message);
  return annotation(level, title, [message, ...listNames(group), ...rest]);
}

function listNames(group: readonly TestCase[]): string[] {
  if (group.length === 1) return [];
  const more = group.length - MOST_NAMES;
  const names = group.slice(0, MOST_NAMES).map(nameOf).join(', ');
  return [`in ${names}${more > 0 ? ` and ${more} more` : ''}`];
}

/** `ext2 generic/002`: the suite's name ends in the file system. */
function nameOf({ suite, name }: TestCase): string {
  return `${suite.split('.').at(-1) ?? ''} ${name}`;
}

function describeRest(groups: readonly (readonly TestCase[])[]): string[] {
  if (groups.length === 0) return [];
  const cases = groups.reduce((sum, group) => sum + group.length, 0);
  const failed = groups.flat().some(({ outcome }) => outcome !== 'passed');
  const text = `${plural(groups.length, 'more problem')} in ${plural(cases, 'test')}: see the job summary`;
  return [annotation(failed ? 'error' : 'notice', 'daxrepro', [text])];
}

/** `::error title=…::…`, with the escapes of a workflow command. */
function annotation(level: Level, title: string, lines: readonly string[]): string {
  const value = encode(cut(escapeForTerminal(title), LONGEST_TITLE));
  const message = encode(cut(lines.map(escapeForTerminal).join('\n'), LONGEST_MESSAGE));
  return `::${level} title=${value.replaceAll(':', '%3A').replaceAll(',', '%2C')}::${message}`;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/\p{Cs}$/u, '')}…`;
}

function encode(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\n', '%0A');
}
