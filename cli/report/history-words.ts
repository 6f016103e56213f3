import { escapeForTerminal } from '../findings/escape.js';
import type { History, HistoryTest, News, State, TestInRun } from '../history/history.js';
import type { Proportion } from '../statistics/proportion.js';
import { plural } from '../words.js';
import { describeRateOf } from './repeats.js';

/** Words about the history of tests, for text and HTML. Not escaped, unless it says so. */

export const STATE_TITLES: Readonly<Record<State, string>> = {
  failing: 'Failing',
  'no-verdict': 'Without a verdict',
  'expected-failure': 'Failing as expected',
  'failed-before': 'Passing now, failed before',
  passing: 'Never failed',
  notrun: 'Not run',
};

/** Runs in a strip: what fits beside a name on a page. */
export const LONGEST_STRIP = 120;

/** The letters of a strip, one for each run; a blank where the run did not run the test. */
export const LETTERS =
  'F fails, f: some attempts, x as expected, E error, I invalid, - not run, . passes';

export function letterOf({ verdict, counts, expected }: TestInRun): string {
  if (verdict === 'fail' && expected) return 'x';
  if (verdict === 'fail') return counts.pass === undefined ? 'F' : 'f';
  return { pass: '.', notrun: '-', error: 'E', invalid: 'I' }[verdict];
}

/** The results of the newest runs, one letter each. */
export function stripOf({ results }: HistoryTest, runs: number, width = LONGEST_STRIP): string {
  const first = Math.max(runs - width, 0);
  const letters = Array.from({ length: runs - first }, () => ' ');
  for (const one of results) if (one.run >= first) letters[one.run - first] = letterOf(one);
  return letters.join('');
}

/** `3 of 12 attempts failed, 25 % (95 % interval: 5.5 to 57 %)` */
export function describeFailures({ failed, decided, failures }: HistoryTest): string {
  if (!failures) return 'no attempt passed or failed';
  return `${failed} of ${plural(decided, 'attempt')} failed, ${describeRateOf(failures as Proportion)}`;
}

/** `first 2026-01-02 in RUN, last 2026-01-03 in RUN`; empty if it never failed. */
export function describeSpan({ firstFailure, lastFailure }: HistoryTest, history: History): string {
  if (firstFailure === null || lastFailure === null) return '';
  const first = describeRun(firstFailure, history);
  if (firstFailure === lastFailure) return `failed once: ${first}`;
  return `first failure: ${first}; last: ${describeRun(lastFailure, history)}`;
}

export function describeRun(index: number, { runs }: History): string {
  const run = runs[index];
  return run ? `${run.started.slice(0, 10)} in ${run.name}` : 'an unknown run';
}

/** `fail, was pass on 2026-01-02 in RUN`, and each finding that appeared or vanished. */
export function describeNews(news: News, history: History): { what: string; findings: string[] } {
  const { verdicts, before, appeared, vanished } = news;
  const what =
    before === null
      ? `${verdicts.now}; no earlier run ran it`
      : verdicts.before === verdicts.now
        ? `${verdicts.now}, as on ${describeRun(before, history)}`
        : `${verdicts.now}, was ${verdicts.before} on ${describeRun(before, history)}`;
  const often = news.reasons.includes('fails-more')
    ? '; fails more often'
    : news.reasons.includes('fails-less')
      ? '; fails less often'
      : '';
  const known = (seenBefore: boolean) =>
    seenBefore ? 'seen in an earlier run' : 'never seen before';
  return {
    what: `${what}${often}`,
    findings: [
      ...appeared.map(
        (one) => `appeared: ${one.signature} (${one.severity}), ${known(one.seenBefore)}`,
      ),
      ...vanished.map((one) => `vanished: ${one.signature} (${one.severity})`),
    ],
  };
}

/** `12 runs from 2026-01-01 to 2026-01-12, 34 tests: 2 failing, 32 never failed` */
export function describeHistory({ runs, tests }: History): string {
  const dates = [runs[0], runs.at(-1)].map((run) => run?.started.slice(0, 10) ?? '');
  const when = dates[0] === dates[1] ? `on ${dates[0]}` : `from ${dates[0]} to ${dates[1]}`;
  const states = Object.entries(STATE_TITLES).flatMap(([state, title]) => {
    const count = tests.filter((test) => test.state === state).length;
    return count > 0 ? [`${count} ${title.toLowerCase()}`] : [];
  });
  return escapeForTerminal(
    `${plural(runs.length, 'run')} ${when}, ${plural(tests.length, 'test')}: ${states.join(', ')}`,
  );
}
