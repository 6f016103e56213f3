import { type BisectionResult, percent } from '../../bisect/result.js';
import { formatBisection } from '../bisect-text.js';
import { drawPath } from './drawings.js';
import { scrolls } from './parts.js';
import { type Html, html, preformatted } from './template.js';

/** A bisection: the answer, its path drawn and as a table, and the change in full. */
export function bisectionSection(result: BisectionResult, number: number): Html {
  const { question, answer, path } = result;
  const id = `bisection-${number}`;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Bisection of ${question.fs} ${question.tests.join(' ')}</h2>
<p><strong>${answer.summary}.</strong></p>
${
  path.length > 0 && [
    scrolls(`Path of bisection ${number}`, html`${drawPath(path)}`),
    html`<p class="quiet">g: good, b: bad, ±: both, –: could not be tested. Bars: how probable it is that this, or what lies between it and the one before, is the first bad change.</p>`,
    scrolls(
      `Runs of bisection ${number}`,
      html`<table><caption>What was run, in the history’s order</caption><thead><tr><th scope="col">change</th><th scope="col">good</th><th scope="col">bad</th><th scope="col">first bad</th><th scope="col">title</th></tr></thead><tbody>${path.map(
        (entry) =>
          html`<tr><th scope="row"><code>${entry.change.slice(0, 12)}</code></th><td>${entry.good}</td><td>${entry.bad}</td><td>${percent(entry.probability)}</td><td>${entry.title}${entry.skipped !== null && html`<br><span class="quiet">skipped: ${entry.skipped}</span>`}</td></tr>`,
      )}</tbody></table>`,
    ),
  ]
}
<details><summary>All of it as text</summary><div class="body"><pre tabindex="0">${preformatted(formatBisection(result, { width: 100 }).split('\n'))}</pre></div></details>
</section>
`;
}
