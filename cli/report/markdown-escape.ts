import { escapeForTerminal } from '../findings/escape.js';

/**
 * Untrusted text in GitHub-flavoured Markdown. It always goes into code: there it is no markup, @name
 * notifies nobody, and #123 becomes no link. Backslashes would not prevent that, because GitHub and
 * GitLab look for names and numbers in the rendered page.
 */

/** A code span. It ends with as many backticks as it begins with (GFM 6.3). */
export function code(text: string): string {
  const content = escapeForTerminal(text);
  const fence = '`'.repeat(longestRun(content, '`') + 1);
  // GFM strips one blank from each end; an empty span would vanish.
  return /^`|`$|^ .* $|^$/.test(content)
    ? `${fence} ${content} ${fence}`
    : `${fence}${content}${fence}`;
}

/** The same in a table, which splits cells before code spans: `\|` is a bar even in code. */
export function codeInTable(text: string): string {
  return code(text).replaceAll(/(\\*)\|/g, '$1$1\\|');
}

/** Lines unchanged. @param lines may be escaped for a terminal already */
export function codeBlock(lines: readonly string[]): string {
  const content = lines.map(escapeForTerminal);
  const fence = '`'.repeat(Math.max(3, longestRun(content.join('\n'), '`') + 1));
  return [`${fence}text`, ...content, fence].join('\n');
}

/** For HTML within Markdown, such as a summary, which is not parsed as Markdown. */
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
