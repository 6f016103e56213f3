import type { CellResult } from '../../results/compare-result.js';
import type { Verdict } from '../../verdict/judge.js';
import { cellText, UNEXPECTED } from '../compare-table.js';
import { type Html, html } from './template.js';

/** Elements that several sections share. */

/** Scrolls wide content by itself, also by keyboard. @param name for screen readers */
export function scrolls(name: string, content: Html): Html {
  return html`<div class="wide" role="group" tabindex="0" aria-label="${name}">${content}</div>`;
}

export function verdictMark(verdict: Verdict | undefined): Html {
  return html`<span class="verdict ${verdict ?? 'notrun'}">${verdict ?? 'did not run'}</span>`;
}

/** The id of a cell's details. */
export function cellId(number: number): string {
  return `cell-${number + 1}`;
}

/** A cell's verdict as a link to its details. */
export function cellLink(cell: CellResult, number: number, title: string): Html {
  if (cell.verdict === undefined) return html`<span class="quiet">did not run</span>`;
  const unexpected = cell.held ? '' : ', not as expected';
  return html`<a class="verdict ${cell.verdict}" href="#${cellId(number)}" aria-label="${title}: ${cellText(cell).replace(` ${UNEXPECTED}`, '')}${unexpected}">${cellText(cell)}</a>`;
}

export function fields(
  pairs: readonly (readonly [name: string, value: Html | string | undefined])[],
): Html {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

export function list(items: readonly (Html | string)[]): Html | undefined {
  return items.length === 0
    ? undefined
    : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}
