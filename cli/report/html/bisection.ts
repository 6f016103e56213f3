import { percent } from '../../bisect/result.js';
import type { BisectionResult, Culprit, PathEntry } from '../../results/bisect-result.js';
import { plural } from '../../words.js';
import { formatBisection } from '../bisect-text.js';
import {
  describeCulpritRate,
  describeEffort,
  describeRange,
  describeVersions,
} from '../bisect-words.js';
import { drawPath, drawRate } from './drawings.js';
import { fields, list, scrolls } from './parts.js';
import { type Html, html, preformatted } from './template.js';

/** A bisection: the answer, the bad change, the tested changes as a picture and a table, and the environment. */
export function bisectionSection(result: BisectionResult, number: number): Html {
  const { question, answer, path } = result;
  const id = `bisection-${number}`;
  const culprits = new Set(answer.culprits.map((one) => one.id));
  const rate = describeCulpritRate(result);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Bisection of ${question.fs} ${question.tests.join(' ')}</h2>
<p><strong>${answer.summary}.</strong></p>
${answer.culprits.map(culpritBlock)}
${rate !== undefined && answer.rate !== null && html`<p>${rate} ${drawRate(answer.rate)}</p>`}
${
  path.length > 0 && [
    scrolls(`Path of bisection ${number}`, html`${drawPath(path)}`),
    html`<p class="quiet">g: good, b: bad, ±: both, –: could not be tested. Bars: the probability that this change, or one between it and the previous one, is the first bad change.</p>`,
    scrolls(
      `Runs of bisection ${number}`,
      html`<table class="words"><caption>Tested changes, in history order</caption><thead><tr><th scope="col">change</th><th scope="col">good</th><th scope="col">bad</th><th scope="col">first bad</th><th scope="col">title</th></tr></thead><tbody>${path.map((entry) => pathRow(entry, culprits.has(entry.change)))}</tbody></table>`,
    ),
  ]
}
${aboutBisection(result)}
<details><summary>The result as text</summary><div class="body"><pre tabindex="0">${preformatted(formatBisection(result, { width: 100 }).split('\n'))}</pre></div></details>
</section>
`;
}

function culpritBlock({ id, title, author, date, diffstat, findings }: Culprit): Html {
  const found = findings.map(
    ({ signature, runs }) => html`<code>${signature}</code> (in ${plural(runs, 'run')})`,
  );
  return html`<div class="finding"><h3>${title}</h3>
${fields([
  ['change', html`<code>${id}</code>`],
  ['author', author === null ? undefined : [author, date].filter(Boolean).join(', ')],
  ['findings', list(found)],
])}
${diffstat !== null && html`<pre tabindex="0">${preformatted(diffstat.split('\n'))}</pre>`}</div>
`;
}

function pathRow(
  { change, good, bad, skipped, probability, title }: PathEntry,
  culprit: boolean,
): Html {
  const tested = skipped === null;
  return html`<tr${culprit && html` class="culprit"`}><th scope="row"><code>${change.slice(0, 12)}</code></th><td>${tested ? good : '–'}</td><td>${tested ? bad : '–'}</td><td class="number">${percent(probability)}</td><td>${title}${!tested && html`<br><span class="quiet">skipped: ${skipped}</span>`}</td></tr>`;
}

function aboutBisection(result: BisectionResult): Html {
  const { question, host, started, directory, command } = result;
  const { kernel, series, signature } = question;
  return html`<h3>Test environment</h3>
${fields([
  ['bisected', describeRange(result)],
  ['kernel', kernel === '' || series !== undefined ? undefined : kernel],
  ['finding', signature === null ? undefined : html`<code>${signature}</code>`],
  ['effort', describeEffort(result)],
  ['versions', describeVersions(result)],
  ['host', `Linux ${host.kernel}, ${host.cpus} CPUs`],
  ['started', started],
  ['command', html`<code>daxrepro ${command.join(' ')}</code>`],
  ['files', html`<code>${directory}</code>`],
])}
`;
}
