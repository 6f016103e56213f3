import { textWidth } from '../columns.js';
import { shellQuote } from '../shell-quote.js';

/** Wraps text. Pure. Text of a guest has to be escaped before. */

/** Lines of at most `width` columns, broken at blanks, and within a word only if it must be. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(/ +/)) {
    for (const piece of breakLine(word, width)) {
      if (line === undefined) line = piece;
      else if (textWidth(`${line} ${piece}`) <= width) line = `${line} ${piece}`;
      else {
        lines.push(line);
        line = piece;
      }
    }
  }
  return [...lines, line ?? ''];
}

/** `  label    text`, with further lines aligned below the text. */
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
  /** The width of a whole line. */
  width: number;
}

/**
 * A shell command in lines of at most `width` columns. All but the last end in a backslash, so that the
 * lines can be pasted into a shell. Breaks between words, keeps an option with its value if they fit, and
 * breaks a word only if it is longer than a line.
 */
export function wrapCommand(command: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  // Every line but the last ends in ` \`.
  const room = width - 2;
  for (const group of groups(shellWords(command))) {
    const joined = line === '' ? `${' '.repeat(indent)}${group}` : `${line} ${group}`;
    if (textWidth(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(`${line} \\`);
    line = `${' '.repeat(indent + (lines.length > 0 ? 2 : 0))}${group}`;
    if (textWidth(line) <= room) continue;
    const [word, option] = splitGroup(group);
    const margin = line.slice(0, line.length - group.length);
    if (option !== undefined) lines.push(`${margin}${option} \\`);
    const broken = breakWord(word, room, textWidth(margin));
    lines.push(...broken.slice(0, -1).map((piece, at) => `${at === 0 ? margin : ''}${piece}\\`));
    line = `${broken.length === 1 ? margin : ''}${broken.at(-1) ?? ''}`;
  }
  return [...lines, line];
}

/** Words with their quotes. */
function shellWords(command: string): string[] {
  return command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
}

/** Keeps an option with its value. */
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

/** Splits a group into the value and its option. */
function splitGroup(group: string): [value: string, option?: string] {
  const [, option, value] = /^(--?[a-z-]+) (.*)$/s.exec(group) ?? [];
  return option === undefined || value === undefined ? [group] : [value, option];
}

/**
 * Breaks a word into separately quoted pieces, which a backslash at the end of the line joins again. The
 * first piece leaves room for the margin.
 */
function breakWord(word: string, room: number, margin: number): string[] {
  const found: string[] = [];
  let piece = '';
  for (const letter of letters(unquote(word))) {
    const left = room - (found.length === 0 ? margin : 0);
    if (piece !== '' && textWidth(shellQuote(piece + letter)) > left) {
      found.push(shellQuote(piece));
      piece = '';
    }
    piece += letter;
  }
  return [...found, shellQuote(piece)];
}

/** Undoes `shellQuote`. */
function unquote(word: string): string {
  return word.replaceAll(
    /'([^']*)'|\\(.)/gs,
    (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? '',
  );
}

/** Breaks text into pieces of at most `width` columns, anywhere. */
export function breakLine(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const letter of letters(text)) {
    const own = textWidth(letter);
    if (piece !== '' && used + own > width) {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += letter;
    used += own;
  }
  return [...pieces, piece];
}

/** Cuts text to `width` columns; … marks the cut. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const [first = ''] = breakLine(text, width - 1);
  // A single letter may be wider than that.
  return `${textWidth(first) < width ? first : ''}…`;
}

/** Letters with their combining marks. */
export function letters(text: string): string[] {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
}
