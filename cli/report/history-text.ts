import { textWidth } from '../columns.js';
import { escapeForTerminal } from '../findings/escape.js';
import { type History, type HistoryTest, STATES } from '../history/history.js';
import {
  describeFailures,
  describeHistory,
  describeNews,
  describeSpan,
  LETTERS,
  STATE_TITLES,
  stripOf,
} from './history-words.js';
import { cut, wrapField, wrapText } from './wrap.js';

/** The history of tests as text: the news first, then failing tests, then the others. */

/** Listed tests of a group of those that do not fail. */
const MOST_QUIET = 20;
const MOST_FINDINGS = 5;
const MOST_LEFT_OUT = 20;
/** Letters of a strip. */
const STRIP = 40;

export function formatHistory(history: History, { width }: { width: number }): string {
  const strip = Math.min(STRIP, history.runs.length);
  const sections = [
    [
      ...field('history', history.directory, width),
      ...field('', describeHistory(history), width),
      ...field('letters', `one for each of the last ${strip} runs: ${LETTERS}`, width),
    ],
    newsLines(history, width),
    ...STATES.map((state) => groupLines(history, state, width)),
    leftOutLines(history, width),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function field(label: string, text: string, width: number): string[] {
  return wrapField(label, escapeForTerminal(text), { indent: 0, label: 8, width });
}

function indented(text: string, indent: number, width: number): string[] {
  const lines = wrapText(escapeForTerminal(text), Math.max(width - indent, 20));
  return lines.map((line) => ' '.repeat(indent) + line);
}

function newsLines(history: History, width: number): string[] {
  const newest = history.runs.at(-1);
  const title = `New in ${newest?.name ?? ''}, compared with the run before of each test:`;
  if (history.runs.length < 2) return [];
  const known = history.news.filter(({ kind }) => kind !== 'new');
  const fresh = history.news.length - known.length;
  const lines = known.flatMap((news) => {
    const { what, findings } = describeNews(news, history);
    const test = history.tests[news.test] as HistoryTest;
    return [
      ...indented(`${test.title}: ${what}`, 2, width),
      ...findings.slice(0, MOST_FINDINGS).flatMap((text) => indented(text, 6, width)),
      ...(findings.length > MOST_FINDINGS
        ? [`      and ${findings.length - MOST_FINDINGS} more findings`]
        : []),
    ];
  });
  return [
    ...indented(title, 0, width),
    ...(lines.length > 0 ? lines : ['  no test changed']),
    ...(fresh > 0 ? [`  ${fresh} tests ran for the first time, and do not fail`] : []),
  ];
}

function groupLines(history: History, state: HistoryTest['state'], width: number): string[] {
  const tests = history.tests.filter((test) => test.state === state);
  if (tests.length === 0) return [];
  const loud = state === 'failing' || state === 'no-verdict';
  const shown = loud ? tests : tests.slice(0, MOST_QUIET);
  const runs = history.runs.length;
  const strip = Math.min(STRIP, runs);
  const titles = shown.map((test) => escapeForTerminal(test.title));
  const column = Math.min(Math.max(...titles.map(textWidth)), width - strip - 6);
  const lines = shown.flatMap((test, at) => {
    const title = cut(titles[at] ?? '', column);
    const gap = ' '.repeat(column - textWidth(title) + 2);
    return [
      `  ${title}${gap}${stripOf(test, runs, STRIP)}`.trimEnd(),
      ...details(test, history, width),
    ];
  });
  const more = tests.length - shown.length;
  return [
    `${STATE_TITLES[state]}:`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more; --json and --output FILE.html list all of them`] : []),
  ];
}

function details(test: HistoryTest, history: History, width: number): string[] {
  const span = describeSpan(test, history);
  const { state, reason, signatures, firstFailure } = test;
  const quiet = firstFailure === null;
  return [
    ...(quiet && state !== 'passing' ? [] : indented(describeFailures(test), 6, width)),
    ...(span === '' ? [] : indented(span, 6, width)),
    ...(state === 'passing' || state === 'failed-before' ? [] : indented(reason, 6, width)),
    ...(quiet ? [] : signatures)
      .slice(0, MOST_FINDINGS)
      .flatMap((one) =>
        indented(`${one.signature} (${one.severity}), in ${one.runs} runs`, 6, width),
      ),
  ];
}

function leftOutLines({ leftOut }: History, width: number): string[] {
  if (leftOut.length === 0) return [];
  const more = leftOut.length - MOST_LEFT_OUT;
  return [
    'Not counted:',
    ...leftOut
      .slice(0, MOST_LEFT_OUT)
      .flatMap(({ name, reason }) => indented(`${name}: ${reason}`, 2, width)),
    ...(more > 0 ? [`  and ${more} more; --json lists all of them`] : []),
  ];
}
