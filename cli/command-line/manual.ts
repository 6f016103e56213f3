import type { Command } from 'commander';

/**
 * What help and the manual page say about a command beyond its arguments and options. It stands beside
 * the command's definition: `document(program.command('run') …, { examples: […] })`.
 */
export interface Manual {
  /** `--help` begins with them, the most common use first. A test parses all of them. */
  examples: readonly Example[];
  /** Paragraphs after the description, as plain text; blank lines separate them. */
  details?: string;
  /** More about an option, by its long flag, for `--help` and the manual page. */
  options?: Readonly<Record<`--${string}`, string>>;
  /** In ascending order. Without them the command exits with 0, or with 2 on wrong usage. */
  exitCodes?: readonly ExitCode[];
}

/** A command line, and what it does in a few words, without a capital or a full stop. */
export type Example = readonly [command: string, does: string];

export type ExitCode = readonly [code: string, meaning: string];

const manuals = new WeakMap<Command, Manual>();

/** Gives a command its manual. A test fails for a command without one. */
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

export const USAGE_EXIT_CODE: ExitCode = [
  '2',
  'wrong usage or configuration; the message says where and how to fix it',
];

/** Exit codes of commands that run guests. */
export const RUN_EXIT_CODES: readonly ExitCode[] = [
  ['0', 'every test passed'],
  ['1', 'at least one test failed'],
  USAGE_EXIT_CODE,
  ['3', 'no test failed, but at least one has no verdict (invalid, error), or nothing ran'],
  ['130', 'interrupted'],
];
