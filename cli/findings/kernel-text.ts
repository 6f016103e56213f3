/** Extracts lines from JSON, and from strings with escaped line ends. */

/** Names under which services and build tools keep a program's output. */
const OUTPUT =
  /^(?:message|msg|logs?|lines?|text|output|std(?:out|err)(?:_lines)?|body|content|dmesg|console)$/i;
/** `"MESSAGE" : "…",` and `"…",`, as documents of several lines have them. */
const MEMBER =
  /^\s*(?:"(?<name>[\w .-]{1,64})"\s*:\s*)?\[?\s*"(?<value>(?:[^"\\]|\\.)*)"\s*[\]}]*,?\s*$/;
/** What precedes the first line in a string. */
const OPENING = /^\s*[[{]?\s*(?:"[\w .-]{1,64}"\s*:\s*)?(?:\[\s*)?b?["']/;

/**
 * The lines in one line of a file: itself, or those in its strings. A journal's entry of another
 * program has none.
 */
export function linesIn(line: string): string[] {
  if (!line.includes('"') && !line.includes('\\n')) return [line];
  const document = /^\s*[[{"]/.test(line) ? parsed(line) : undefined;
  if (document !== undefined) return stringsOf(document).flatMap((text) => text.split('\n'));
  const member = MEMBER.exec(line)?.groups;
  if (member) {
    const { name, value = '' } = member;
    return name === undefined || OUTPUT.test(name) ? unescaped(value).split('\n') : [];
  }
  if (!line.includes('\\n')) return [line];
  return escapedLines(line.replace(OPENING, ''));
}

/** The lines of a text whose line ends are written `\n`. */
export function escapedLines(text: string): string[] {
  return text.split('\\n').map((line) => unescaped(line.replace(/\\r$/, '')));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line.trim().replace(/,$/, ''));
  } catch {
    return undefined;
  }
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  if (typeof value !== 'object' || value === null) return [];
  const members = Object.entries(value);
  const transport = members.find(([name]) => name === '_TRANSPORT')?.[1];
  if (transport !== undefined && transport !== 'kernel') return [];
  const output = members.filter(([name]) => OUTPUT.test(name));
  return (output.length > 0 ? output : members).flatMap(([, one]) => bytes(one) ?? stringsOf(one));
}

/** journalctl writes a message that is not UTF-8 as a list of bytes. */
function bytes(value: unknown): string[] | undefined {
  const isBytes = Array.isArray(value) && value.length > 0 && value.every(Number.isInteger);
  return isBytes ? [Buffer.from(value).toString('latin1')] : undefined;
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:u([\da-fA-F]{4})|([\s\S]))/g, (_, code?: string, letter = '') =>
    code === undefined
      ? (LETTERS[letter] ?? letter)
      : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const LETTERS: Record<string, string> = { n: '\n', t: '\t', r: '', b: '', f: '' };
