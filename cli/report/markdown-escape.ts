import { escapeForTerminal } from '../findings/escape.js';

/**
 * Text of others in Markdown, of GitHub's flavour. It only ever stands in code: there nothing is
 * markup, no @name tells anybody, and no #123 becomes a link, which no backslash would keep GitHub and
 * GitLab from, since they look for these in the page that was made from the Markdown.
 */

/** A code span, which GFM 6.3 ends at as many backticks as it began with. */
export function code(text: string): string {
  const content = escapeForTerminal(text);
  const fence = '`'.repeat(longestRun(content, '`') + 1);
  // One blank is taken off each end; of an empty span nothing would be left.
  return /^`|`$|^ .* $|^$/.test(content)
    ? `${fence} ${content} ${fence}`
    : `${fence}${content}${fence}`;
}

/** The same in a table, whose cells are told apart first: `\|` is a bar there, also in a code span. */
export function codeInTable(text: string): string {
  return code(text).replaceAll(/(\\*)\|/g, '$1$1\\|');
}

/** Lines as they stand. @param lines escaped for a terminal already, or to be so here: it does not matter */
export function codeBlock(lines: readonly string[]): string {
  const content = lines.map(escapeForTerminal);
  const fence = '`'.repeat(Math.max(3, longestRun(content.join('\n'), '`') + 1));
  return [`${fence}text`, ...content, fence].join('\n');
}

/** For what stands in HTML within Markdown, such as a summary: it is not read as Markdown. */
export function codeInHtml(text: string): string {
  const content = escapeForTerminal(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return `<code>${content}</code>`;
}

function longestRun(text: string, letter: string): number {
  const runs = text.match(new RegExp(`${letter}+`, 'g')) ?? [];
  return runs.reduce((longest, run) => Math.max(longest, run.length), 0);
}
