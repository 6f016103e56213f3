import { createHash } from 'node:crypto';
import type { BisectionResult } from '../../results/bisect-result.js';
import type { Matrix } from '../matrix.js';
import { bisectionSection } from './bisection.js';
import type { Excerpt } from './cells.js';
import { matrixSections } from './matrix.js';
import { STYLE } from './style.js';
import { Html, html } from './template.js';

/**
 * A self-contained HTML file: no script, one style sheet, and a security policy that forbids the browser
 * to load or run anything else, whatever a guest wrote.
 */
export function formatHtml(
  matrix: Matrix | undefined,
  bisections: readonly BisectionResult[],
  excerpt: Excerpt,
): string {
  const title = matrix?.case.title ?? (matrix ? 'File systems on DAX' : 'Bisection on DAX');
  const style = new Html(STYLE);
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${new Html(hash)}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<header>
<h1>${title}</h1>
${matrix && contents(matrix)}
</header>
<main id="main">
${matrix && matrixSections(matrix, excerpt)}
${bisections.map((result, at) => bisectionSection(result, at + 1))}
</main>
<footer>Made by daxrepro ${matrix?.tool.version ?? bisections[0]?.tool.version}. Guest output is shown as plain text, with invisible characters escaped.</footer>
</body>
</html>`;
  return text;
}

function contents({ units, repeats, differences }: Matrix): Html {
  const links: [id: string, name: string][] = [
    ['matrix', 'Matrix'],
    ...(units.some(({ findings }) => findings.length > 0)
      ? [['findings', 'Findings'] as [string, string]]
      : []),
    ...(repeats.length > 0 ? [['rates', 'Failure rates'] as [string, string]] : []),
    ...(differences.length > 0 ? [['differences', 'Differences'] as [string, string]] : []),
    ['cells', 'Details'],
    ['about', 'Test environment'],
  ];
  return html`<nav aria-label="Contents"><ul>${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}
