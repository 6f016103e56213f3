/** Longer lines are taken in pieces: no line that these parsers know is as long. */
export const LONGEST_LINE = 4096;

/** The lines of a text, whatever ends them (LF, CR LF, and the lone CR of progress displays). */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = endOfLine(text, start);
    yield text.slice(start, end);
    const atLineEnd = text[end] === '\n' || text[end] === '\r';
    start = atLineEnd ? end + (text.startsWith('\r\n', end) ? 2 : 1) : end;
  }
}

function endOfLine(text: string, start: number): number {
  const limit = Math.min(text.length, start + LONGEST_LINE);
  for (let at = start; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return limit;
}
