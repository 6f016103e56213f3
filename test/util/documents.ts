import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Commands that people copy from the documents. */

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Line {
  /** `docs/cases.md:12`. */
  place: string;
  text: string;
}

export interface Session extends Line {
  /** The output that the document shows; `…` stands for anything. */
  shown: string[];
}

export function documents(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(`${root}${folder}`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}${name}`);
  return [...inFolder(''), ...inFolder('docs/'), ...inFolder('power-cut/plugin/')];
}

/** The lines of shell blocks; those of `console` blocks that begin with `$ `. */
export function commandsIn(document: string): Line[] {
  return blocksIn(document).flatMap(({ language, lines }) => {
    if (language === 'sh') return lines;
    if (language !== 'console') return [];
    return lines
      .filter(({ text }) => text.startsWith('$ '))
      .map(({ place, text }) => ({ place, text: text.slice(2) }));
  });
}

/** Commands of `console` blocks with what they print. */
export function sessionsIn(document: string): Session[] {
  const sessions: Session[] = [];
  for (const { language, lines } of blocksIn(document)) {
    if (language !== 'console') continue;
    for (const { place, text } of lines) {
      if (text.startsWith('$ ')) sessions.push({ place, text: text.slice(2), shown: [] });
      else sessions.at(-1)?.shown.push(text);
    }
  }
  return sessions;
}

function blocksIn(document: string): { language: string; lines: Line[] }[] {
  const blocks: { language: string; lines: Line[] }[] = [];
  let open: (typeof blocks)[number] | undefined;
  for (const [index, line] of readFileSync(`${root}${document}`, 'utf8').split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence && open) {
      blocks.push(open);
      open = undefined;
    } else if (fence) open = { language: fence[1] ?? '', lines: [] };
    else open?.lines.push({ place: `${document}:${index + 1}`, text: line.trim() });
  }
  return blocks;
}
