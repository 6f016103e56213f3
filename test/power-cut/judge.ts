import type { Program } from './programs.js';
import type { Observed } from './survivors.js';

/** Whether what survived a program is what it has to be. */

const LETTERS: Record<string, number> = { Z: 0, A: 0x41, B: 0x42 };

/** What is wrong with a byte, or undefined. */
function wrong({ event, byte }: Observed, offset: number, expected: string): string | undefined {
  const name = (value: number) =>
    Object.keys(LETTERS).find((letter) => LETTERS[letter] === value) ?? `0x${value.toString(16)}`;
  const values = new Set(event.states.map((state) => name(byte(state, offset))));
  const seen = [...values].sort().join('');
  const allowed = [...new Set(expected)].sort().join('');
  const nothing = name(byte('nothing', offset));
  const everything = name(byte('everything', offset));
  if (nothing === expected[0] && everything === expected.at(-1) && seen === allowed)
    return undefined;
  return `byte ${offset}: ${expected} expected; nothing ${nothing}, everything ${everything}, all ${seen}`;
}

/**
 * @param page the number of the program's page
 * @returns what is wrong, one sentence for each byte
 */
export function mistakes(program: Program, page: number, observed: Observed): string[] {
  const at = (bytes: Readonly<Record<number, string>>, base: number) =>
    Object.entries(bytes).map(([offset, expected]) =>
      wrong(observed, base + Number(offset), expected),
    );
  return [...at(program.bytes, page * 4096), ...at(program.elsewhere ?? {}, 0)].filter(
    (mistake) => mistake !== undefined,
  );
}
