import { percent } from '../../bisect/result.js';
import type { PathEntry } from '../../results/bisect-result.js';
import type { Proportion } from '../../statistics/proportion.js';
import { type Html, html } from './template.js';

/** Pictures. The text beside them says the same, so they are hidden from screen readers. */

const RATE = { width: 200, height: 20, margin: 6 };

/** A failure rate from 0 to 1, with its confidence interval. */
export function drawRate({ rate, interval: [low, high] }: Proportion): Html {
  const x = (share: number) => (RATE.margin + share * (RATE.width - 2 * RATE.margin)).toFixed(1);
  const middle = RATE.height / 2;
  const width = (Number(x(high)) - Number(x(low))).toFixed(1);
  return html`<svg width="${RATE.width}" height="${RATE.height}" viewBox="0 0 ${RATE.width} ${RATE.height}" aria-hidden="true"><line class="axis" x1="${x(0)}" x2="${x(1)}" y1="${middle}" y2="${middle}"/><line class="axis" x1="${x(0)}" x2="${x(0)}" y1="3" y2="17"/><line class="axis" x1="${x(1)}" x2="${x(1)}" y1="3" y2="17"/><rect class="bar" x="${x(low)}" y="5" width="${width}" height="10" rx="2"/><circle class="dot" cx="${x(rate)}" cy="${middle}" r="5"/></svg>`;
}

const STEP = { distance: 56, top: 76, height: 116 };

/**
 * The tested changes from the good end to the bad one: good or bad by colour and letter, and above each
 * the probability that it, or a change just before it, is the first bad one.
 */
export function drawPath(path: readonly PathEntry[]): Html {
  const width = Math.max(path.length, 1) * STEP.distance;
  return html`<svg width="${width}" height="${STEP.height}" viewBox="0 0 ${width} ${STEP.height}" aria-hidden="true"><line class="axis" x1="0" x2="${width}" y1="${STEP.top}" y2="${STEP.top}"/>${path.map((entry, at) => drawStep(entry, (at + 0.5) * STEP.distance))}</svg>`;
}

function drawStep({ good, bad, skipped, change, probability }: PathEntry, x: number): Html {
  const height = Math.round(probability * 44);
  const kind = skipped !== null ? 'skipped' : bad === 0 ? 'good' : good === 0 ? 'bad' : 'both';
  const letter = { skipped: '–', good: 'g', bad: 'b', both: '±' }[kind];
  return html`<rect class="suspect" x="${x - 20}" y="${STEP.top - 12 - height}" width="40" height="${height}"/><text x="${x}" y="${STEP.top - 16 - height + 2}" text-anchor="middle">${probability >= 0.0045 ? percent(probability) : ''}</text><circle class="step-${kind}" cx="${x}" cy="${STEP.top}" r="8"/><text x="${x}" y="${STEP.top + 22}" text-anchor="middle">${letter}</text><text x="${x}" y="${STEP.top + 37}" text-anchor="middle">${change.slice(0, 7)}</text>`;
}
