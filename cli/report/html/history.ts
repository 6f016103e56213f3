import { groupBy } from '../../group-by.js';
import {
  type History,
  type HistoryTest,
  listCounts,
  type News,
  STATES,
  type State,
} from '../../history/history.js';
import { plural } from '../../words.js';
import {
  describeFailures,
  describeHistory,
  describeNews,
  describeSpan,
  LETTERS,
  LONGEST_STRIP,
  STATE_TITLES,
  stripOf,
} from '../history-words.js';
import { drawRate } from './drawings.js';
import { frame, navigation } from './frame.js';
import { list, scrolls, verdictMark } from './parts.js';
import { type Html, html } from './template.js';

/** Many runs as one page: what is new, tests × runs with the failing ones first, and the runs. */

/** Findings listed of a test. */
const MOST_FINDINGS = 12;

export function formatHistoryPage(history: History): string {
  const title = 'Tests on DAX over time';
  const groups = STATES.filter((state) => history.tests.some((test) => test.state === state));
  return frame({
    title,
    version: history.tool.version,
    contents: navigation([
      ['news', 'News'],
      ...groups.map((state) => [state, STATE_TITLES[state]] as const),
      ['runs', 'Runs'],
      ...(history.leftOut.length > 0 ? [['left-out', 'Not counted'] as const] : []),
    ]),
    main: html`<p>${describeHistory(history)}. <code>${history.directory}</code></p>
${newsSection(history)}
${groups.map((state) => groupSection(history, state))}
${runsSection(history)}
${
  history.leftOut.length > 0 &&
  html`<section aria-labelledby="left-out"><h2 id="left-out">Not counted</h2>
${list(history.leftOut.map(({ name, reason }) => html`<code>${name}</code>: ${reason}`))}</section>`
}`,
  });
}

function newsSection(history: History): Html {
  const { news, runs, tests } = history;
  const newest = runs.at(-1);
  const item = (one: News) => {
    const { what, findings } = describeNews(one, history);
    const test = tests[one.test] as HistoryTest;
    return html`<a href="#${testId(test)}">${test.title}</a> ${verdictMark(one.verdicts.now)} ${what}${list(findings)}`;
  };
  const known = news.filter(({ kind }) => kind !== 'new');
  const fresh = news.length - known.length;
  return html`<section aria-labelledby="news"><h2 id="news">News</h2>
<p>What <code>${newest?.name}</code> changed, compared with the run before that ran the same test.</p>
${known.length > 0 ? list(known.map(item)) : html`<p>No test changed.</p>`}
${fresh > 0 && html`<p>${plural(fresh, 'test')} ran for the first time.</p>`}</section>
`;
}

/** Groups that need attention are open; the others are folded, one fold for each file system. */
function groupSection(history: History, state: State): Html {
  const tests = history.tests.filter((test) => test.state === state);
  const open = state === 'failing' || state === 'no-verdict';
  const byFileSystem = groupBy(tests, ({ fs }) => fs);
  return html`<section aria-labelledby="${state}"><h2 id="${state}">${STATE_TITLES[state]}</h2>
${
  open
    ? testTable(history, tests, STATE_TITLES[state])
    : [...byFileSystem].map(
        ([fs, own]) => html`<details><summary>${fs}: ${plural(own.length, 'test')}</summary>
${testTable(history, own, `${STATE_TITLES[state]}, ${fs}`)}</details>`,
      )
}</section>
`;
}

function testTable(history: History, tests: readonly HistoryTest[], title: string): Html {
  const shown = Math.min(history.runs.length, LONGEST_STRIP);
  return scrolls(
    title,
    html`<table class="words"><caption>The last ${plural(shown, 'run')}, oldest left: ${LETTERS}.</caption><thead><tr><th scope="col">test</th><th scope="col">runs</th><th scope="col">failure rate</th><th scope="col">failures</th></tr></thead><tbody>${tests.map((test) => testRow(test, history))}</tbody></table>`,
  );
}

function testRow(test: HistoryTest, history: History): Html {
  const { failures, signatures, state, reason } = test;
  const ever = test.firstFailure !== null;
  const shown = signatures.slice(0, MOST_FINDINGS);
  const more = signatures.length - shown.length;
  const findings = shown.map(
    (one) => html`<code>${one.signature}</code> (${one.severity}), in ${plural(one.runs, 'run')}`,
  );
  return html`<tr id="${testId(test)}"><th scope="row">${test.title}</th><td>${strip(test, history)}</td><td>${ever && failures !== null && drawRate(failures)}${describeFailures(test)}</td><td>${describeSpan(test, history)}${state !== 'passing' && state !== 'failed-before' && html`<p>${reason}</p>`}${list([...findings, ...(more > 0 ? [`and ${more} more`] : [])])}</td></tr>
`;
}

const COLOURS: Readonly<Record<string, string>> = {
  F: 'fail',
  f: 'fail',
  x: 'notrun',
  E: 'error',
  I: 'invalid',
  '-': 'notrun',
  '.': 'pass',
};

/** Neighbours with the same letter share an element: a page may have thousands of strips. */
function strip(test: HistoryTest, { runs }: History): Html {
  const pieces = stripOf(test, runs.length).match(/(.)\1*/gs) ?? [];
  const said = `${test.results.length} of ${plural(runs.length, 'run')} ran it`;
  return html`<pre class="strip" role="img" aria-label="${said}">${pieces.map((piece) => {
    const colour = COLOURS[piece[0] ?? ''];
    return colour === undefined ? piece : html`<span class="${colour}">${piece}</span>`;
  })}</pre>`;
}

function testId({ index }: HistoryTest): string {
  return `test-${index + 1}`;
}

function runsSection({ runs }: History): Html {
  return html`<section aria-labelledby="runs"><h2 id="runs">Runs</h2>
<details><summary>${plural(runs.length, 'run')}, the newest first</summary>
${scrolls(
  'Runs',
  html`<table class="words"><thead><tr><th scope="col">run</th><th scope="col">started</th><th scope="col">kernel</th><th scope="col">units</th><th scope="col">command</th></tr></thead><tbody>${runs
    .toReversed()
    .map(
      ({ name, started, kernels, counts, command }) =>
        html`<tr><th scope="row"><code>${name}</code></th><td>${started.slice(0, 16).replace('T', ' ')}</td><td>${kernels.join(', ')}</td><td>${listCounts(counts)}</td><td><code>daxrepro ${command.join(' ')}</code></td></tr>
`,
    )}</tbody></table>`,
)}</details></section>
`;
}
