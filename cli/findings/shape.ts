/**
 * Handles floods. A log of 100 MB repeats a few messages a million times with other numbers, so the
 * kind of a line and the class of a message are worked out once per shape.
 */

/** Longer lines are lists or contain names: they are examined each time. */
const LONGEST = 300;

/**
 * The line with 0 for each number; undefined if more than its numbers may vary. Digits within a
 * word stay, because they may make another message.
 */
export function shapeOf(line: string): string | undefined {
  if (line.length > LONGEST) return undefined;
  if (line.includes("'") || line.includes('"')) return shapeOfEntry(line);
  return withoutNumbers(line);
}

function withoutNumbers(text: string): string {
  return text.replace(/\b\d+\b/g, '0');
}

/**
 * The two kinds of message about directory entries, of which a damaged directory makes one for each
 * name. A name may hold anything and ends at its last quotation mark: what stands before the first
 * and after the last decides what the message is, but for the two names that belong to its class.
 */
function shapeOfEntry(line: string): string | undefined {
  const mark = line.startsWith("Entry '") ? "'" : '"';
  const first = line.indexOf(mark);
  const last = line.lastIndexOf(mark);
  if (last <= first || isSpecial(line, first, last)) return undefined;
  const head = line.slice(0, first);
  const tail = line.slice(last + 1);
  if (tail.includes("'") || tail.includes('"') || head.includes("'")) return undefined;
  if (mark === '"') {
    return OF_XFS_REPAIR.test(head) && AFTER_XFS_NAME.test(tail)
      ? `${withoutNumbers(head)}""${withoutNumbers(tail)}`
      : undefined;
  }
  // The directory's path is a name too.
  const said = AFTER_EXT_NAME.exec(tail)?.[1];
  return said === undefined ? undefined : `Entry '' in / (0) ${withoutNumbers(said)}`;
}

/** `e2fsck: Entry 'NAME' in PATH (12) has deleted/unused inode 13.` */
const AFTER_EXT_NAME =
  /^ in \/[^(]*? ?\(\d+\) ((?:has|is an?|points|references|found)\b [^/]*(?:\b\w+\/\w+\b[^/]*)*)$/;
/** `entry "NAME" at block 0 offset 96 in directory inode 134 references free inode 135` */
const OF_XFS_REPAIR = /\bentry $/;
const AFTER_XFS_NAME = /^ (?:at|in|of|has|references|points|\(ino )/;

/** `.` and `..` */
function isSpecial(line: string, first: number, last: number): boolean {
  return last - first <= 3 && /^\.{1,2}$/.test(line.slice(first + 1, last));
}

/** A class of lines that differ only in numbers and names, or of messages made of such lines. */
export class Shape {
  /** What followed it the last time. */
  next: Shape | undefined;
  /** The shapes of messages with this beginning, by their next lines. */
  readonly longer = new Map<Shape, Shape>();
  #pattern: RegExp | undefined;

  constructor(readonly text: string) {}

  /** Whether `shapeOf(line)` is its text. */
  fits(line: string): boolean {
    this.#pattern ??= patternOf(this.text);
    return line.length <= LONGEST && this.#pattern.test(line);
  }
}

/** The lines of a shape's text: where it has 0 there is a number, where it has no name there is one. */
function patternOf(text: string): RegExp {
  const source = text
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(/^Entry '' in \\\/ /, `Entry '${nameBefore("'")} in \\/[^('"]*`)
    .replace('""', `"${nameBefore('"')}`)
    .replace(/\b0\b/g, '\\d+');
  return new RegExp(`^${source}$`, 's');
}

/** Any name but `.` and `..`; it ends at the last quotation mark of the line. */
function nameBefore(mark: string): string {
  return `(?!\\.{1,2}${mark}[^'"]*$).*${mark}`;
}

/** A normal log has fewer shapes than this. */
const MOST_SHAPES = 2000;

/**
 * Shapes by their lines. In a flood the same lines come after each other again and again: a line is
 * first compared with what came last at this place, which takes no text to be made.
 */
export class Shapes {
  readonly #known = new Map<string, Shape>();
  #longer = 0;
  #last: Shape | undefined;

  /** The shape of this line, if it is the one that came here last. */
  expected(line: string): Shape | undefined {
    const next = this.#last?.next;
    if (!next?.fits(line)) return undefined;
    this.#last = next;
    return next;
  }

  find(line: string): Shape | undefined {
    const text = shapeOf(line);
    if (text === undefined) return undefined;
    let shape = this.#known.get(text);
    if (!shape) {
      if (this.#known.size >= MOST_SHAPES) return undefined;
      // Built by `replace`, so it keeps no piece of the log in memory.
      shape = new Shape(Buffer.from(text).toString());
      this.#known.set(shape.text, shape);
    }
    if (this.#last) this.#last.next = shape;
    this.#last = shape;
    return shape;
  }

  /**
   * The shape of a message that begins with the first shape and continues with a line of the
   * second.
   */
  joined(first: Shape | undefined, second: Shape | undefined): Shape | undefined {
    if (!first || !second) return undefined;
    const known = first.longer.get(second);
    if (known || this.#longer >= MOST_SHAPES) return known;
    this.#longer += 1;
    const longer = new Shape(`${first.text}\n${second.text}`);
    first.longer.set(second, longer);
    return longer;
  }
}

/** Remembers a result per shape, up to a number that no normal log reaches. */
export class ShapeCache<T> {
  readonly #known = new Map<Shape, T>();

  of(shape: Shape | undefined, make: () => T): T {
    if (shape === undefined) return make();
    const known = this.#known.get(shape);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size < MOST_SHAPES) this.#known.set(shape, made);
    return made;
  }
}

/** One pattern that matches if any of these does. */
export function anyOf(patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join('|'));
}
