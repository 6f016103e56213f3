import type { BisectionResult } from '../../results/bisect-result.js';
import type { Matrix } from '../matrix.js';
import { bisectionSection } from './bisection.js';
import type { Excerpt } from './cells.js';
import { frame, navigation } from './frame.js';
import { matrixSections } from './matrix.js';
import { type Html, html } from './template.js';

/** The report of runs, comparisons and bisections as an HTML file. */
export function formatHtml(
  matrix: Matrix | undefined,
  bisections: readonly BisectionResult[],
  excerpt: Excerpt,
): string {
  const title = matrix?.case.title ?? (matrix ? 'File systems on DAX' : 'Bisection on DAX');
  return frame({
    title,
    version: matrix?.tool.version ?? bisections[0]?.tool.version ?? '',
    contents: matrix && contents(matrix),
    main: html`${matrix && matrixSections(matrix, excerpt)}
${bisections.map((result, at) => bisectionSection(result, at + 1))}`,
  });
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
  return navigation(links);
}
