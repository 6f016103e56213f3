import { deviceWords } from '../../guest/layers.js';
import type { CellResult } from '../../results/compare-result.js';
import { formatSeconds, plural } from '../../words.js';
import {
  cellTitle,
  describeExpectation,
  explanationOf,
  representativeOf,
} from '../compare-words.js';
import { describeExplanation } from '../explanation.js';
import {
  describeEvidence,
  describeFirst,
  describeOthers,
  type FindingGroup,
  groupFindings,
} from '../findings.js';
import { describeImages } from '../images.js';
import type { Matrix, MatrixUnit } from '../matrix.js';
import { alikeAttempts } from '../repeats.js';
import { explainUnwritten } from '../unwritten.js';
import { cellId, fields, list, scrolls, verdictMark } from './parts.js';
import { type Html, html, preformatted } from './template.js';

/** Every cell in full: reason, findings, evidence, proof, console. Folded if it passed as expected. */

/** The last lines of a unit's console, if there are any. */
export type Excerpt = (unit: MatrixUnit) => readonly string[] | undefined;

/** Attempts shown of those that ended differently. */
const MOST_ATTEMPTS = 8;

export function cellDetails(
  cell: CellResult,
  number: number,
  matrix: Matrix,
  excerpt: Excerpt,
): Html {
  const { verdict, held } = cell;
  const expectation = describeExpectation(cell);
  const open = !held || (verdict !== 'pass' && verdict !== 'notrun');
  const alike = alikeAttempts(cell.units).slice(0, MOST_ATTEMPTS);
  const explanation = describeExplanation(explanationOf(cell));
  return html`<details${open ? html` open` : ''}><summary>${verdictMark(verdict)} ${cellTitle(cell, matrix)}${expectation !== '' && html` <span class="quiet">(${expectation})</span>`}</summary><div class="body" id="${cellId(number)}">
${alike.map(({ first, others }) => unitDetails(first as MatrixUnit, others, excerpt, alike.length > 1))}
${explanation.length > 0 && html`<h3>Second run, with tracing</h3>${list(explanation)}`}
${representativeOf(cell) === undefined && html`<p>It did not run.</p>`}
</div></details>
`;
}

function unitDetails(
  unit: MatrixUnit,
  others: string | undefined,
  excerpt: Excerpt,
  several: boolean,
): Html {
  const { dax, kernel } = unit;
  const groups = groupFindings(unit.findings, unit.omitted);
  const why = explainUnwritten(unit.unwritten);
  const images = describeImages(unit.images);
  const console = excerpt(unit);
  const failed = unit.failure?.detail?.trimEnd().split('\n');
  return html`${several && html`<h3>Attempt ${unit.attempt}: ${unit.verdict}</h3>`}
${fields([
  ['reason', unit.reason],
  ['attempts', others && `attempt ${unit.attempt}; ${others}`],
  ['expected', unit.expectedFailure && `to fail: ${unit.expectedFailure.reason}`],
  ['kernel', `${kernel.release} from ${kernel.spec}`],
  ['took', `${formatSeconds(unit.durationSeconds)} on ${deviceWords(unit)}, ${unit.accel}`],
  ['next', unit.failure?.remedy],
])}
${failed && html`<pre tabindex="0">${preformatted(failed.slice(-40))}</pre>`}
${groups.length > 0 && html`<h3>Findings</h3>${list(groups.map(findingItem))}`}
${why.length > 0 && html`<h3>Why</h3>${list(why)}`}
${images.length > 0 && html`<h3>Images</h3>${list(images)}`}
<h3>DAX</h3>
${proof(dax)}
<h3>To run it again</h3><pre tabindex="0"><code>${unit.replay}</code></pre>
${console && console.length > 0 && html`<h3>End of the console</h3><pre tabindex="0">${preformatted(console)}</pre>`}`;
}

function findingItem(group: FindingGroup): Html {
  const details = [describeOthers(group), ...describeEvidence(group)].filter(
    (sentence) => sentence !== undefined,
  );
  return html`${describeFirst(group.finding)}<br><code>${group.signature}</code>${list(details)}`;
}

/** Every check of a mount, and whether it proved DAX. */
function proof({ proven, looks, module }: MatrixUnit['dax']): Html {
  if (looks.length === 0) return html`<p>Not proven: nothing was mounted.</p>`;
  const built = module ? `; module ${module.origin}, build id ${module.buildId.slice(0, 12)}` : '';
  return html`<p>${proven ? 'Proven' : 'Not proven'}, in ${plural(looks.length, 'check')}${built}.</p>${scrolls(
    'Checks of the mount',
    html`<table><thead><tr><th scope="col">when</th><th scope="col">device</th><th scope="col">driver</th><th scope="col">statx</th><th scope="col">mount options</th></tr></thead><tbody>${looks.map(
      (look) =>
        html`<tr><th scope="row">${look.when}</th><td><code>${look.device}</code></td><td>${look.driver}</td><td>${look.statxDax === null ? 'unknown' : look.statxDax ? 'DAX' : 'no DAX'}</td><td><code>${look.mountOptions}</code>${list([...look.problems, ...look.messages])}</td></tr>`,
    )}</tbody></table>`,
  )}`;
}
