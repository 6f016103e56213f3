import type { LogForm } from './log-form.js';

/**
 * A line of a check in a string of JSON, or of another language that escapes line breaks the same
 * way.
 */
const SIGN =
  /(?:["'=:\s]|\\n)(?:e2fsck \d+\.\d\S* \(\d|Pass [1-5][A-E]?: [A-Z]|Phase [1-7] - [a-z]|xfs_repair version \d)/;
const ESCAPED_BREAK = '\\n';
const STRUCTURE = /^\s*[[{,]*\s*"/;

/** Names under which services and build tools keep a program's output. */
const OUTPUT =
  /^(?:message|msg|log|logs|line|lines|text|output|out|stdout|stderr|stdout_lines|stderr_lines|body|data|content|result|event)$/i;

/** Maximum length of the log's lines within a string: the same as elsewhere. */
const LONGEST = 4096;

const TOKENS = /\\u[\da-fA-F]{0,4}|\\[^u]|\\$|["']|[^\\"']{1,512}/g;
const UNFINISHED_ESCAPE = /^\\(?:u[\da-fA-F]{0,3})?$/;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', b: '\b', f: '\f' };

/** @returns a form if the line holds lines of a check in strings */
export function jsonFormOf(line: string): JsonForm | undefined {
  const sign = SIGN.exec(line);
  if (!sign || !(line.includes(ESCAPED_BREAK) || STRUCTURE.test(line))) return undefined;
  const before = line.slice(0, sign.index + 1);
  const quote = Math.max(before.lastIndexOf('"'), before.lastIndexOf("'"));
  return new JsonForm(before[quote]);
}

/**
 * Reads the strings, in pieces and in bounded memory: a whole log in one string is a line of any
 * length. Not a JSON parser, because truncated logs must be readable, too.
 */
export class JsonForm implements LogForm {
  readonly isLoose = false;
  readonly isCertain = true;
  /** The string delimiter; undefined if the whole line is one string. */
  readonly #quote: string | undefined;
  #inString = false;
  /** The last line so far of the present string, or the previous string. */
  #text = '';
  /**
   * Whether the present string has line breaks: then it is a program's output, whatever its name.
   */
  #hasBreaks = false;
  /** The name of the following value. */
  #name: string | undefined;
  /** An escape sequence that continues in the next piece. */
  #escape = '';
  #lines: string[] = [];

  constructor(quote: string | undefined) {
    this.#quote = quote;
  }

  linesOf(line: string): string[] | undefined {
    if (this.#quote !== undefined && !line.includes(this.#quote)) return undefined;
    this.#inString = this.#quote === undefined;
    this.#text = '';
    this.#hasBreaks = false;
    this.#name = undefined;
    this.#escape = '';
    return this.more(line);
  }

  more(piece: string): string[] {
    for (const [token] of (this.#escape + piece).matchAll(TOKENS)) {
      this.#escape = UNFINISHED_ESCAPE.test(token) ? token : '';
      if (this.#escape !== '') continue;
      if (this.#inString) this.#within(token);
      else this.#between(token);
    }
    return this.#taken();
  }

  end(): string[] {
    if (this.#inString) this.#flush();
    else this.#value();
    return this.#taken();
  }

  #within(token: string): void {
    if (token === this.#quote) {
      this.#inString = false;
      if (this.#hasBreaks && this.#text !== '') this.#flush();
    } else if (token === ESCAPED_BREAK) {
      this.#hasBreaks = true;
      this.#flush();
    } else if (this.#text.length < LONGEST) {
      this.#text += token.startsWith('\\') ? unescaped(token) : token;
    }
  }

  #between(token: string): void {
    if (token === this.#quote) {
      this.#value();
      this.#inString = true;
      this.#hasBreaks = false;
    } else if (/^\s*:/.test(token)) {
      this.#name = this.#text;
      this.#text = '';
    } else {
      this.#value();
      if (/[,}]/.test(token) && !token.includes('[')) this.#name = undefined;
    }
  }

  /** The string that ended was a value, not a name. */
  #value(): void {
    if (this.#text !== '' && (this.#name === undefined || OUTPUT.test(this.#name))) this.#flush();
    this.#text = '';
  }

  #flush(): void {
    this.#lines.push(this.#text.replace(/\r$/, ''));
    this.#text = '';
  }

  #taken(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}

function unescaped(token: string): string {
  if (token.startsWith('\\u')) return String.fromCharCode(Number.parseInt(token.slice(2), 16));
  const letter = token[1] ?? '';
  return ESCAPES[letter] ?? letter;
}
