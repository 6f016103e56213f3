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
  if (line.length > LONGEST || line.includes("'") || line.includes('"')) return undefined;
  return line.replace(/\b\d+\b/g, '0');
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
