import { shellQuote } from '../shell-quote.js';

/** Text for a width. All of it pure; what comes from a guest has to be escaped before. */

/** Lines of at most `width` characters: broken at blanks, and within a word only where it must be. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(/ +/)) {
    for (const piece of breakLine(word, width)) {
      if (line === undefined) line = piece;
      else if (characters(`${line} ${piece}`) <= width) line = `${line} ${piece}`;
      else {
        lines.push(line);
        line = piece;
      }
    }
  }
  return [...lines, line ?? ''];
}

/** `  label    text`, its further lines below the text. */
export function wrapField(label: string, text: string, { indent, label: wide, width }: FieldShape) {
  const left = indent + wide + 1;
  return wrapText(text, Math.max(width - left, 20)).map((line, index) =>
    `${' '.repeat(indent)}${(index === 0 ? label : '').padEnd(wide)} ${line}`.trimEnd(),
  );
}

export interface FieldShape {
  /** Blanks before the label. */
  indent: number;
  /** The label's width. */
  label: number;
  /** Of a whole line. */
  width: number;
}

/**
 * A shell command in lines of at most `width`, each but the last ending in a backslash: pasted into
 * a shell they are the same command. Lines are broken between words, an option and its value stay
 * together where they fit; a word that is longer than a line is broken as well.
 */
export function wrapCommand(command: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  // Every line but the last ends in ` \`.
  const room = width - 2;
  for (const group of groups(shellWords(command))) {
    const joined = line === '' ? `${' '.repeat(indent)}${group}` : `${line} ${group}`;
    if (characters(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(`${line} \\`);
    line = `${' '.repeat(indent + (lines.length > 0 ? 2 : 0))}${group}`;
    if (characters(line) <= room) continue;
    const [word, option] = splitGroup(group);
    const margin = line.slice(0, line.length - group.length);
    if (option !== undefined) lines.push(`${margin}${option} \\`);
    const broken = breakWord(word, room, characters(margin));
    lines.push(...broken.slice(0, -1).map((piece, at) => `${at === 0 ? margin : ''}${piece}\\`));
    line = `${broken.length === 1 ? margin : ''}${broken.at(-1) ?? ''}`;
  }
  return [...lines, line];
}

/** Words as they are written, with their quotes. */
function shellWords(command: string): string[] {
  return command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
}

/** An option goes with its value. */
function groups(words: readonly string[]): string[] {
  const found: string[] = [];
  for (const word of words) {
    const last = found.at(-1);
    const wantsValue = last !== undefined && /^--?[a-z-]+$/.test(last) && !word.startsWith('-');
    if (wantsValue) found[found.length - 1] = `${last} ${word}`;
    else found.push(word);
  }
  return found;
}

/** The value of an option, and the option. */
function splitGroup(group: string): [value: string, option?: string] {
  const [, option, value] = /^(--?[a-z-]+) (.*)$/s.exec(group) ?? [];
  return option === undefined || value === undefined ? [group] : [value, option];
}

/**
 * A word in pieces, each quoted for itself: a backslash at a line's end joins it with what begins
 * the next line. The first piece leaves room for the margin.
 */
function breakWord(word: string, room: number, margin: number): string[] {
  const found: string[] = [];
  let piece = '';
  for (const letter of unquote(word)) {
    const left = room - (found.length === 0 ? margin : 0);
    if (piece !== '' && characters(shellQuote(piece + letter)) > left) {
      found.push(shellQuote(piece));
      piece = '';
    }
    piece += letter;
  }
  return [...found, shellQuote(piece)];
}

/** What a shell makes of one word that `shellQuote` has made. */
function unquote(word: string): string {
  return word.replaceAll(
    /'([^']*)'|\\(.)/gs,
    (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? '',
  );
}

/** In pieces of at most `width`, blanks and all. */
export function breakLine(word: string, width: number): string[] {
  const all = [...word];
  if (all.length <= width) return [word];
  return Array.from({ length: Math.ceil(all.length / width) }, (_, index) =>
    all.slice(index * width, (index + 1) * width).join(''),
  );
}

/** At most so many characters; that some are missing is seen. */
export function cut(text: string, width: number): string {
  return characters(text) > width ? `${[...text].slice(0, width - 1).join('')}…` : text;
}

/** Code points, which on most terminals are columns. */
export function characters(text: string): number {
  return [...text].length;
}
