import type { Command } from 'commander';

/**
 * What a command's help and the manual page say of it beside its arguments and options. It stands with
 * the command's definition: `document(program.command('run') …, { examples: […] })`.
 */
export interface Manual {
  /** `--help` begins with them. The first is what most people want; a test parses all of them. */
  examples: readonly Example[];
  /** Paragraphs that come after the description: plain text, a blank line between two. */
  details?: string;
  /** More than an option's line can say, by its long flag; `--help` and the manual page have it. */
  options?: Readonly<Record<`--${string}`, string>>;
  /** In the order of their numbers; without it the command exits with 0, or 2 on wrong usage. */
  exitCodes?: readonly ExitCode[];
}

/** A whole command line, and what it does: a few words, without a capital or a full stop. */
export type Example = readonly [command: string, does: string];

export type ExitCode = readonly [code: string, meaning: string];

const manuals = new WeakMap<Command, Manual>();

/** Gives a command its manual; a test tells of a command that has none. */
export function document<Documented extends Command>(
  command: Documented,
  manual: Manual,
): Documented {
  manuals.set(command, manual);
  return command;
}

export function manualOf(command: Command): Manual | undefined {
  return manuals.get(command);
}

/** What commands that run guests exit with. */
export const RUN_EXIT_CODES: readonly ExitCode[] = [
  ['0', 'every test passed'],
  ['1', 'at least one test failed'],
  ['2', 'wrong usage or configuration, with the place and the fix'],
  ['3', 'nothing failed, but at least one test has no verdict (invalid, error), or nothing ran'],
  ['130', 'interrupted'],
];
