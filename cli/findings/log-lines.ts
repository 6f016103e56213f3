import type { FsckParser, FsckReport } from './fsck-report.js';
import { LONGEST_LINE } from './lines.js';
import { TextPieces } from './text-pieces.js';

/**
 * Takes a log in pieces and hands out its lines as a terminal would have left them: without escape
 * sequences and bells, and without what a progress display rubbed out with backspaces. LF, CR LF
 * and a lone CR all end a line. NUL bytes stay, since a log has them where something was lost.
 *
 * Memory is bounded: of a longer line `line` gets the first 4 KiB and `more` the rest, in pieces.
 */
export class LogLines {
  readonly #pieces = new TextPieces();
  readonly #line: (line: string) => void;
  readonly #more: (piece: string) => void;
  /** The line that has not ended yet, or the part of a piece that waits for the next one. */
  #rest = '';
  /** Whether the first part of the present line has been handed out. */
  #inLongLine = false;

  constructor(line: (line: string) => void, more: (piece: string) => void) {
    this.#line = line;
    this.#more = more;
  }

  push(chunk: string | Uint8Array): void {
    for (const text of this.#pieces.of(chunk)) this.#push(text);
  }

  #push(text: string): void {
    let all = this.#rest + text;
    this.#rest = '';
    if (CONTROL.test(all)) {
      // The other half of a CR LF or of a sequence may be in the next piece.
      const held = UNFINISHED.exec(all)?.[0] ?? '';
      all = all.slice(0, all.length - held.length);
      this.#lines(withoutControl(all));
      this.#rest += held;
    } else {
      this.#lines(all);
    }
  }

  end(): void {
    this.#push(this.#pieces.end());
    const rest = withoutControl(this.#rest);
    this.#rest = '';
    this.#lines(rest.endsWith('\n') ? rest : `${rest}\n`, rest === '');
  }

  #lines(text: string, nothing = false): void {
    if (nothing && !this.#inLongLine) return;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#whole(text.slice(start, end));
      start = end + 1;
    }
    this.#begun(text.slice(start));
  }

  #whole(text: string): void {
    this.#begun(text);
    if (!this.#inLongLine) this.#line(rubbedOut(this.#rest));
    else if (this.#rest !== '') this.#more(this.#rest);
    this.#rest = '';
    this.#inLongLine = false;
  }

  #begun(text: string): void {
    if (text.length <= LONGEST_LINE) {
      this.#rest = text;
      return;
    }
    if (this.#inLongLine) {
      this.#more(text);
    } else {
      this.#line(rubbedOut(text.slice(0, LONGEST_LINE)));
      this.#more(text.slice(LONGEST_LINE));
    }
    this.#inLongLine = true;
    this.#rest = '';
  }
}

const CONTROL = /[\x01-\x08\x0b-\x1f\x7f]/;

/** CSI and OSC sequences, two-character ones, and character set selections. */
const SEQUENCE =
  /\x1b(?:\[[0-?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)|[()*+][\x20-\x7e]|[@-Z\\^_`a-z=>78])/g;
const UNFINISHED = /(?:\r|\x1b[^\n]{0,40})$/;

function withoutControl(text: string): string {
  return text
    .replace(SEQUENCE, '')
    .replace(/\r\n?/g, '\n')
    .replace(/[\x01-\x07\x0b\x0c\x0e-\x1f\x7f]/g, '');
}

/** A terminal's backspace, which progress displays use to overwrite their output. */
function rubbedOut(line: string): string {
  if (!line.includes('\b')) return line;
  const kept: string[] = [];
  for (const character of line) {
    if (character === '\b') kept.pop();
    else kept.push(character);
  }
  return kept.join('');
}

/** Parses a complete log with its program's parser. */
export function parseWhole(text: string, parser: FsckParser): FsckReport {
  const lines = new LogLines(
    (line) => {
      parser.line(line);
    },
    (piece) => parser.more(piece),
  );
  lines.push(text);
  lines.end();
  return parser.end();
}
