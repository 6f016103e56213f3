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
  const margin = ' '.repeat(indent);
  // Every line but the last ends in ` \`.
  const room = width - 2;
  for (const group of groups(shellWords(command))) {
    const joined = line === '' ? `${margin}${group}` : `${line} ${group}`;
    if (characters(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(`${line} \\`);
    const own = `${margin}${lines.length > 0 ? '  ' : ''}${group}`;
    const broken = breakLong(own, width);
    lines.push(...broken.slice(0, -1));
    line = broken.at(-1) ?? '';
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

/** Breaks a line within words: a backslash at its end joins it with what begins the next one. */
function breakLong(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (characters(rest) > width - 2) {
    let at = width - 3;
    const quoted = isQuoted(rest, at);
    // Not between a backslash, or a quote that is written '\'', and what it belongs to.
    while (at > 1 && /[\\']/.test(rest.slice(at - 2, at + 2))) at -= 1;
    const inQuotes = quoted && isQuoted(rest, at);
    lines.push(`${rest.slice(0, at)}${inQuotes ? "'" : ''}\\`);
    rest = `${inQuotes ? "'" : ''}${rest.slice(at)}`;
  }
  return [...lines, rest];
}

function isQuoted(text: string, at: number): boolean {
  let quoted = false;
  for (let index = 0; index < at; index += 1) {
    if (!quoted && text[index] === '\\') index += 1;
    else if (text[index] === "'") quoted = !quoted;
  }
  return quoted;
}

/** In pieces of at most `width`, blanks and all. */
export function breakLine(word: string, width: number): string[] {
  const all = [...word];
  if (all.length <= width) return [word];
  return Array.from({ length: Math.ceil(all.length / width) }, (_, index) =>
    all.slice(index * width, (index + 1) * width).join(''),
  );
}

/** Code points, which on most terminals are columns. */
export function characters(text: string): number {
  return [...text].length;
}
