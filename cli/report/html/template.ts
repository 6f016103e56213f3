import { escapeForTerminal } from '../../findings/escape.js';

/** HTML that escapes every text inserted into it, and makes invisible characters visible. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | undefined | false | readonly Part[];

/** Inserts texts as text, also into attribute values, which have to be quoted. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings
      .map((text, index) => text + (index < parts.length ? partText(parts[index]) : ''))
      .join(''),
  );
}

function partText(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(partText).join('');
  return escapeHtml(String(part));
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return escapeForTerminal(text)
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD');
}

/** Lines for a `<pre>`. */
export function preformatted(lines: readonly string[]): Html {
  return new Html(lines.map(escapeHtml).join('\n'));
}
