import { failure, type Outcome, success } from './outcome.js';

/** Parses values of options. A wrong value is a usage error that says what would be right. */

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `256M`, `1G`, `536870912`: bytes, rounded up to the 2 MiB of a huge DAX mapping. */
export function parseSize(text: string): Outcome<number> {
  const match = /^(\d+(?:\.\d+)?)(?:([KMGT])(?:i?B)?|B)?$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toUpperCase() ?? ''];
  const bytes = match && unit !== undefined ? Number(match[1]) * unit : Number.NaN;
  if (!Number.isSafeInteger(Math.ceil(bytes)) || bytes <= 0) {
    return failure(
      'usage',
      `${JSON.stringify(text)} is not a size`,
      'Give bytes, or a number with K, M or G, such as 256M',
    );
  }
  const step = 2 * 2 ** 20;
  return success(Math.ceil(bytes / step) * step);
}

/** `90`, `90s`, `5m`, `1h`: seconds. */
export function parseSeconds(text: string): Outcome<number> {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text.trim());
  const factor = { s: 1, m: 60, h: 3600 }[match?.[2] ?? 's'] ?? 1;
  const seconds = match ? Number(match[1]) * factor : 0;
  // Timers of Node take at most 31 bits of milliseconds.
  return seconds >= 1 && seconds <= 14 * 24 * 3600
    ? success(seconds)
    : failure(
        'usage',
        `${JSON.stringify(text)} is not a time`,
        'Give seconds from 1 to two weeks, or a number with s, m or h, such as 120 or 5m',
      );
}

/** A whole number from `least` to `most`. */
export function parseCount(
  name: string,
  text: string,
  least: number,
  most: number,
): Outcome<number> {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most
    ? success(value)
    : failure(
        'usage',
        `${name} ${JSON.stringify(text)} is not a number from ${least} to ${most}`,
        `Give a whole number, such as ${name} ${least}`,
      );
}

/** One of a few words. */
export function parseChoice<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
): Outcome<Choice> {
  const found = choices.find((choice) => choice === text);
  return found
    ? success(found)
    : failure(
        'usage',
        `${name} ${JSON.stringify(text)} is not known`,
        `Use one of ${choices.join(', ')}`,
      );
}
