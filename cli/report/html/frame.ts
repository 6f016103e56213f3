import { createHash } from 'node:crypto';
import { STYLE } from './style.js';
import { Html, html } from './template.js';

export interface Page {
  title: string;
  /** The version of daxrepro. */
  version: string;
  contents: Html | undefined;
  main: Html;
}

/**
 * A self-contained HTML file: no script, one style sheet, and a security policy that forbids the browser
 * to load or run anything else, whatever a guest wrote.
 */
export function frame({ title, version, contents, main }: Page): string {
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
${contents}
</header>
<main id="main">
${main}
</main>
<footer>Made by daxrepro ${version}. Guest output is shown as plain text, with invisible characters escaped.</footer>
</body>
</html>`;
  return text;
}

/** Links to the sections of the page. */
export function navigation(links: readonly (readonly [id: string, name: string])[]): Html {
  return html`<nav aria-label="Contents"><ul>${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}
