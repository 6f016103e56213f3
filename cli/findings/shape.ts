/**
 * Floods. A log of 100 MB says a few things a million times, with other numbers: what a line is,
 * and what class a message has, is worked out once for each shape.
 */

/** Longer lines are lists or hold names: they are looked at each time. */
const LONGEST = 300;

/**
 * The line with 0 for each number, undefined where more than its numbers may vary. Digits that are
 * part of a word stay: they may make another message.
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

/** Remembers a result for each shape, up to a number of shapes that no honest log reaches. */
export class ShapeCache<T> {
  static readonly #MOST = 2000;
  readonly #known = new Map<string, T>();

  of(shape: string | undefined, make: () => T): T {
    if (shape === undefined) return make();
    const known = this.#known.get(shape);
    if (known !== undefined) return known;
    const made = make();
    // Built by `replace`, so it keeps no piece of the log alive.
    if (this.#known.size < ShapeCache.#MOST) this.#known.set(Buffer.from(shape).toString(), made);
    return made;
  }
}

/** One pattern that fits where any of these does. */
export function anyOf(patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join('|'));
}
