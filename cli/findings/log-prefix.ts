import type { LogForm } from './log-form.js';

/**
 * The form of a line in which a program's own words begin at a column.
 *
 * @returns undefined if nothing precedes them
 */
export function formOf(line: string, column: number): LogForm | undefined {
  if (column === 0) return undefined;
  const identifier = IDENTIFIER.exec(line.slice(column))?.[0] ?? '';
  return new PrefixForm(line.slice(0, column) + identifier);
}

/** A program with its process number, as in syslog. A volume's label has no brackets at its end. */
const IDENTIFIER = /^[\w./@-]{1,64}\[\d+\]: /;

/** Marks of quotation, list marks, and indentation. */
const QUOTATION = /^[\s>|:#*+.-]+$/;
/** Times, process numbers, and names of streams: no program begins its message with these. */
const STAMP = /\d\d?:\d\d|\d+\.\d{3,}|\[\s*\d+\]|\bstd(?:out|err)\b|^\s*\d+[\t:|] ?$/;

class PrefixForm implements LogForm {
  readonly isLoose: boolean;
  readonly isCertain: boolean;
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    this.#pattern = patternOf(prefix);
    this.isLoose = prefix.trim() === '';
    this.isCertain = QUOTATION.test(prefix) || STAMP.test(prefix);
  }

  linesOf(line: string): string[] | undefined {
    const prefix = this.#pattern.exec(line)?.[0];
    return prefix === undefined ? undefined : [line.slice(prefix.length)];
  }
}

/**
 * Parts that change from line to line: numbers, names of months and days, the stream, the level.
 */
const VARIABLE =
  /\d+|\b[A-Z][a-z]{2}\b(?= )|\bstd(?:out|err)\b|\b(?:info|warn(?:ing)?|err(?:or)?|notice|debug)\b|[AP]M\b|\s+/gi;

/** A pattern for all lines with such a prefix. An empty line has it without the trailing blanks. */
function patternOf(prefix: string): RegExp {
  const blanks = /\s*$/.exec(prefix)?.[0] ?? '';
  const body = prefix.slice(0, prefix.length - blanks.length);
  let source = '';
  let at = 0;
  for (const { 0: text, index } of body.matchAll(VARIABLE)) {
    source += escaped(body.slice(at, index)) + variable(text, body, index);
    at = index + text.length;
  }
  return new RegExp(`^${source}${escaped(body.slice(at))}(?:${escaped(blanks)}|$)`);
}

function variable(text: string, body: string, index: number): string {
  if (/^\d/.test(text)) return String.raw`\d{1,40}`;
  // Numbers are padded with blanks.
  if (/^\s/.test(text)) {
    return /\d/.test(body[index + text.length] ?? '') ? String.raw`\s{0,40}` : String.raw`\s{1,40}`;
  }
  if (/^std/i.test(text)) return '(?:stdout|stderr)';
  if (/^[AP]M$/i.test(text)) return '[AaPp][Mm]';
  if (/^[A-Z][a-z]{2}$/.test(text)) return '[A-Z][a-z]{2}';
  return '[A-Za-z]{3,7}';
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
