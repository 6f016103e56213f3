const CERTAIN_HALF = String.raw`bad (?:(?:magic number|version number|next_unlinked) 0x[\da-f]+ on|CRC for) inode \d+,`;
const VERIFIER = 'Metadata (?:corruption|CRC error) detected at ';
const INTERRUPTION = String.raw` {8}- \w.*|${VERIFIER}.*`;
const BETWEEN = new RegExp(
  `^(?:(?<certain>${CERTAIN_HALF})(?<any>(?! [a-z]).+)|(?<half>.*?[,:] ?)(?<other>${INTERRUPTION}))$`,
);
const INTERRUPTS = new RegExp(`^(?:${INTERRUPTION})$`);
/** A verifier prints the end of its line by itself (libxfs: xfs_alert), so others may come before it. */
const UNENDED = new RegExp(
  `^(?<verifier>${VERIFIER}\\S+ \\w+ block 0x[\\da-f]+(?:/0x[\\da-f]+?)?)(?<next>(?:bad|would|Metadata|disconnected|imap|entry) .*| would .*| {8}- \\w.*)$`,
);
/** Every interrupted line has one of these, which rule out the others quickly. */
const MARKS = ['Metadata ', '        - ', ' inode ', ' block 0x'];
/** Lines of other threads between two halves of a message. */
const MOST_BETWEEN = 200;

/**
 * xfs_repair prints some messages in two halves, such as `bad magic number 0x0 on inode 131,` before
 * ` would reset magic number` (repair/dinode.c). Threads that check other allocation groups print in between:
 * messages, progress, and what a verifier says. Seen with 6.1.0:
 * `bad magic number 0x0 on inode 138,        - agno = 2`.
 */
export class ThreadedLines {
  /** First halves, of which the second has not come. */
  readonly #halves: string[] = [];
  /** Lines since one of them came or was completed. */
  #between = 0;

  /** The lines that are whole with this one: as if each thread had printed its lines at once. */
  linesOf(raw: string): string[] {
    const lines: string[] = [];
    let rest: string | undefined = raw;
    while (rest !== undefined) rest = this.#split(rest, lines);
    return lines;
  }

  /** What never got its second half. */
  end(): string[] {
    return this.#halves.splice(0);
  }

  /** @returns what stands behind the first line's end */
  #split(raw: string, lines: string[]): string | undefined {
    if (this.#halves.length > 0 && this.#isSecondHalf(raw, lines)) {
      this.#between = 0;
      lines.push(this.#halves.shift() + raw);
      return undefined;
    }
    if (!MARKS.some((mark) => raw.lastIndexOf(mark) > 0)) {
      lines.push(raw);
      return undefined;
    }
    const { verifier, next } = UNENDED.exec(raw)?.groups ?? {};
    if (verifier !== undefined) {
      lines.push(verifier);
      return next;
    }
    const { certain, any, half, other } = BETWEEN.exec(raw)?.groups ?? {};
    const first = certain ?? half;
    if (first === undefined) lines.push(raw);
    else this.#halves.push(first);
    return any ?? other;
  }

  #isSecondHalf(raw: string, lines: string[]): boolean {
    this.#between += 1;
    if (this.#between > MOST_BETWEEN) {
      lines.push(...this.end());
      return false;
    }
    const [half = ''] = this.#halves;
    return half.endsWith(',') ? /^ [a-z]/.test(raw) : !INTERRUPTS.test(raw);
  }
}
