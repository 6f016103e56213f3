/**
 * Just enough of C to find calls and the string literals among their arguments. No preprocessor: a
 * call is taken wherever it stands, in every branch of an `#ifdef`.
 */

export interface Call {
  name: string;
  /** The arguments' text, without comments. */
  arguments: string[];
  /** Where the call begins in the source. */
  offset: number;
}

/** Replaces comments by blanks, so that offsets stay and strings are untouched. */
export function withoutComments(source: string): string {
  return source.replace(
    /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (text) => (text.startsWith('/') ? text.replace(/[^\n]/g, ' ') : text),
  );
}

/** The calls of functions and macros whose name is in `names`, definitions of macros left out. */
export function callsOf(source: string, names: ReadonlySet<string>): Call[] {
  const calls: Call[] = [];
  for (const match of source.matchAll(/(?<![\w.>])([A-Za-z_]\w*)\s*\(/g)) {
    const name = match[1] as string;
    if (!names.has(name) || isDefinition(source, match.index)) continue;
    const found = argumentsAt(source, match.index + match[0].length);
    if (found) calls.push({ name, arguments: found, offset: match.index });
  }
  return calls;
}

/** `#define NAME(...)`, which is no call. */
function isDefinition(source: string, offset: number): boolean {
  const start = source.lastIndexOf('\n', offset) + 1;
  return /^\s*#\s*define\s+$/.test(source.slice(start, offset));
}

/** The arguments from after the parenthesis on; undefined where it is never closed. */
function argumentsAt(source: string, start: number): string[] | undefined {
  const found: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < source.length && at < start + 4000; at += 1) {
    const character = source[at] as string;
    if (character === '"' || character === "'") at = endOfLiteral(source, at);
    else if ('([{'.includes(character)) depth += 1;
    else if (character === ',' && depth === 0) {
      found.push(source.slice(from, at).trim());
      from = at + 1;
    } else if (')]}'.includes(character)) {
      if (depth === 0) return [...found, source.slice(from, at).trim()];
      depth -= 1;
    }
  }
  return undefined;
}

function endOfLiteral(source: string, start: number): number {
  const quote = source[start];
  let at = start + 1;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at;
}

/** Macros that stand between string literals. */
const LENGTHS: Record<string, string> = {
  PRIx64: 'llx',
  PRIu64: 'llu',
  PRId64: 'lld',
  EXT4_FMT: 'llu',
};

/**
 * The text of an argument that is a string literal, or several with macros between them; undefined
 * where it is something else, a variable for one. A macro whose value is not known becomes `%s`.
 */
export function literal(argument: string): string | undefined {
  if (!/"/.test(argument)) return undefined;
  let text = '';
  let rest = argument;
  while (rest !== '') {
    const match = /^\s*(?:"((?:[^"\\\n]|\\[\s\S])*)"|(KERN_[A-Z]+)|([A-Za-z_]\w*)|(\\\n))\s*/.exec(
      rest,
    );
    if (!match) return undefined;
    const [whole, string, level, macro] = match;
    if (string !== undefined) text += unescaped(string);
    else if (macro !== undefined && level === undefined) text += LENGTHS[macro] ?? '%s';
    rest = rest.slice(whole.length);
  }
  return text;
}

function unescaped(text: string): string {
  const simple: Record<string, string> = { n: '\n', t: '\t', '0': '\0', '\n': '' };
  return text.replace(/\\([\s\S])/g, (_, character: string) => simple[character] ?? character);
}
