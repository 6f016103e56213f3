import { columnsOf } from '../../results/case.js';
import { type CellResult, cellResults } from '../../results/compare-result.js';
import { formatDifferences } from '../compare-text.js';
import {
  cellTitle,
  columnName,
  conditionsOf,
  describeCounts,
  describeKernels,
  describeMachines,
  describeProof,
  describeRates,
  describeSteps,
} from '../compare-words.js';
import { describeEvidence, describeFirst } from '../findings.js';
import type { Matrix } from '../matrix.js';
import { describeRepeats } from '../repeats.js';
import { findingsBySignature } from '../signatures.js';
import { toolWords } from '../tool-words.js';
import { cellDetails, type Excerpt } from './cells.js';
import { drawRate } from './drawings.js';
import { cellId, cellLink, fields, list, scrolls, verdictMark } from './parts.js';
import { type Html, html, preformatted } from './template.js';

/** The matrix, and the sections about it. */

/** Cells listed for a finding. */
const MOST_CELLS = 40;

export function matrixSections(matrix: Matrix, excerpt: Excerpt): Html {
  const cells = cellResults(matrix);
  return html`${[
    tableSection(matrix, cells),
    findingsSection(matrix, cells),
    ratesSection(matrix),
    differencesSection(matrix),
    html`<section aria-labelledby="cells"><h2 id="cells">Details</h2>
${cells.map((cell, number) => cell.units.length > 0 && cellDetails(cell, number, matrix, excerpt))}</section>
`,
    aboutSection(matrix),
  ]}`;
}

function tableSection(matrix: Matrix, cells: readonly CellResult[]): Html {
  const columns = columnsOf(matrix.case);
  const numbered = cells.map((cell, number) => ({ cell, number }));
  const rows = Array.from({ length: numbered.length / Math.max(columns.length, 1) }, (_, at) =>
    numbered.slice(at * columns.length, (at + 1) * columns.length),
  );
  const body = rows.map((row, at) => {
    const [first] = row;
    if (!first) return undefined;
    const { fs, test } = first.cell;
    const label = [test, ...conditionsOf(first.cell, matrix.case)].join(' ');
    const begins = rows[at - 1]?.[0]?.cell.fs !== fs;
    return html`${begins && html`<tr><th scope="rowgroup" colspan="${columns.length + 1}">${fs}</th></tr>`}<tr><th scope="row">${label}</th>${row.map(
      ({ cell, number }) => html`<td>${cellLink(cell, number, cellTitle(cell, matrix))}</td>`,
    )}</tr>
`;
  });
  return html`<section aria-labelledby="matrix"><h2 id="matrix">Matrix</h2>
<p>${verdictMark(matrix.verdict)} ${describeCounts(matrix)}.</p>
${scrolls(
  'Matrix of variants, file systems and tests',
  html`<table><caption>Each verdict links to its details${matrix.units.some(({ held }) => !held) && '; ! marks unexpected ones'}.</caption><thead><tr><th scope="col">test</th>${columns.map((one) => html`<th scope="col">${columnName(one, matrix.case)}</th>`)}</tr></thead><tbody>
${body}</tbody></table>`,
)}</section>
`;
}

function findingsSection(matrix: Matrix, cells: readonly CellResult[]): Html | undefined {
  const findings = findingsBySignature(cells);
  if (findings.length === 0) return undefined;
  const numbers = new Map(cells.map((cell, number) => [cell, number]));
  return html`<section aria-labelledby="findings"><h2 id="findings">Findings</h2>
${findings.map((finding) => {
  const places = finding.cells.slice(0, MOST_CELLS).map(({ cell, attempts }) => {
    const tries = cell.units.length > 1 ? ` (${attempts} of ${cell.units.length} attempts)` : '';
    return html`<a href="#${cellId(numbers.get(cell) ?? 0)}">${cellTitle(cell, matrix)}</a>${tries}`;
  });
  const more = finding.cells.length - places.length;
  return html`<div class="finding"><h3><code>${finding.signature}</code></h3>
<p>${describeFirst(finding.finding)}${finding.count > 1 && `; ${finding.count} times in all`}</p>
${list(describeEvidence(finding))}<p class="quiet">found in</p>${list([...places, ...(more > 0 ? [`${more} more cells`] : [])])}</div>
`;
})}</section>
`;
}

function ratesSection(matrix: Matrix): Html | undefined {
  const { repeats } = matrix;
  if (repeats.length === 0) return undefined;
  return html`<section aria-labelledby="rates"><h2 id="rates">Failure rates</h2>
${scrolls(
  'Failure rates',
  html`<table><caption>The dot is the observed rate, the bar its 95 % confidence interval.</caption><thead><tr><th scope="col">variant</th><th scope="col">0 to 100 %</th><th scope="col">result</th></tr></thead><tbody>${repeats.map(
    (one) =>
      html`<tr><th scope="row">${columnName(one, matrix.case)}</th><td>${one.failures && drawRate(one.failures)}</td><td>${describeRepeats(
        one,
        matrix.repeats.filter(
          ({ variant, kernel }) => variant === one.variant && kernel === one.kernel,
        ),
      )}</td></tr>`,
  )}</tbody></table>`,
)}
${list(describeRates(matrix))}</section>
`;
}

function differencesSection(matrix: Matrix): Html | undefined {
  const lines = formatDifferences(matrix, { width: 100, colour: false });
  if (lines.length === 0) return undefined;
  return html`<section aria-labelledby="differences"><h2 id="differences">Differences</h2>
<pre tabindex="0">${preformatted(lines)}</pre></section>
`;
}

function aboutSection(matrix: Matrix): Html {
  const { tool, host, tools, case: compared, directories, commands } = matrix;
  const versions = [
    `daxrepro ${tool.version}`,
    host.qemu.replace(/QEMU emulator version /g, 'QEMU '),
    ...toolWords(tools),
  ].filter((one) => one !== undefined && one !== '');
  return html`<section aria-labelledby="about"><h2 id="about">Test environment</h2>
${fields([
  ['kernel', describeKernels(matrix)],
  ['machine', describeMachines(matrix)],
  ...describeProof(matrix).map(([fs, text]) => [`DAX, ${fs}`, text] as const),
  ...compared.variants.map(
    ({ name, changes, steps }) =>
      [
        name,
        changes.length === 0 ? 'no known changes' : `${changes.join(', ')}${describeSteps(steps)}`,
      ] as const,
  ),
  ['versions', versions.join(', ')],
  ['host', `Linux ${host.kernel}, ${host.cpus} CPUs`],
  ['started', matrix.started],
  ['commands', list(commands.map((words) => html`<code>daxrepro ${words.join(' ')}</code>`))],
  ['files', list(directories.map((directory) => html`<code>${directory}</code>`))],
])}</section>
`;
}
