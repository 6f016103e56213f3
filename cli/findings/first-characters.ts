/**
 * The characters with which a text can begin that a pattern fits, so that a line is compared only with
 * patterns that can fit it. Undefined where it can be any.
 *
 * Understands what the tables of kernel-grammar.ts use: `^`, literals, escaped literals, groups with
 * alternatives, optional groups and literals, and small classes. Anything else counts as any character.
 */
export function firstCharacters({ source, flags }: RegExp): Set<string> | undefined {
  if (!source.startsWith('^') || flags.includes('i') || topLevel(source).length > 1)
    return undefined;
  return firstOf(source.slice(1));
}

function firstOf(source: string): Set<string> | undefined {
  const atom = atomAt(source);
  const rest = source.slice(atom.length);
  const quantifier = /^(?:[?*]|\{0,\d*\})\??/.exec(rest)?.[0];
  const own = firstOfAtom(atom);
  if (own === undefined || quantifier === undefined) return own;
  // An optional part lets the next one begin.
  const next = firstOf(rest.slice(quantifier.length));
  return next && new Set([...own, ...next]);
}

/** A group, a class, an escaped character, or one character. */
function atomAt(source: string): string {
  if (source.startsWith('(')) return source.slice(0, endOfGroup(source) + 1);
  if (source.startsWith('[')) return source.slice(0, endOfClass(source, 0) + 1);
  return source.slice(0, source.startsWith('\\') ? 2 : 1);
}

function firstOfAtom(atom: string): Set<string> | undefined {
  const group = /^\((?:\?:|\?<\w+>)([\s\S]*)\)$/.exec(atom)?.[1];
  if (group !== undefined) return unionOf(topLevel(group).map(firstOf));
  if (atom === '\\d') return new Set('0123456789');
  if (/^\\[^\w]$/.test(atom)) return new Set(atom.slice(1));
  if (/^\[[A-Za-z]+\]$/.test(atom)) return new Set(atom.slice(1, -1));
  return /^[\w /#"'<>=:,%&~`@!;-]$/.test(atom) ? new Set(atom) : undefined;
}

function unionOf(sets: ReadonlyArray<Set<string> | undefined>): Set<string> | undefined {
  const all = new Set<string>();
  for (const set of sets) {
    if (!set) return undefined;
    for (const character of set) all.add(character);
  }
  return all;
}

/** The top-level alternatives. */
function topLevel(source: string): string[] {
  const found: string[] = [];
  let from = 0;
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at];
    if (character === '\\') at += 1;
    else if (character === '[') at = endOfClass(source, at);
    else if (character === '(') at += endOfGroup(source.slice(at));
    else if (character === '|') {
      found.push(source.slice(from, at));
      from = at + 1;
    }
  }
  return [...found, source.slice(from)];
}

function endOfGroup(source: string): number {
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at];
    if (character === '\\') at += 1;
    else if (character === '[') at = endOfClass(source, at);
    else if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return source.length;
}

function endOfClass(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1;
  return at;
}
