import type { Command } from 'commander';
import { complete } from '../completion/complete.js';
import { SCRIPTS, SHELLS } from '../completion/scripts.js';
import { splitLine } from '../completion/words.js';
import { parseChoice } from '../options.js';
import { EXIT, exitCodeOf, formatFailure } from '../outcome.js';

/** `daxrepro completion SHELL`: prints the completion script of a shell. */
export async function completionCommand(name: string): Promise<number> {
  const shell = parseChoice('shell', name, SHELLS);
  if (!shell.ok) {
    process.stderr.write(`${formatFailure(shell.failure)}\n`);
    return exitCodeOf(shell.failure);
  }
  process.stdout.write(SCRIPTS[shell.value]);
  return EXIT.ok;
}

/**
 * `daxrepro complete`, which the completion scripts call.
 *
 * @param program the command line to complete
 * @param words the words after the program's name, the last one incomplete; bash passes the whole
 *   `line` instead
 */
export async function completeCommand(
  program: Command,
  words: string[],
  { line }: { line?: string },
): Promise<number> {
  const typed = line === undefined ? words : splitLine(line).slice(1);
  const { values, paths } = await complete(program, typed);
  const lines = values.map(([value, description = '']) => `${value}\t${description}`);
  process.stdout.write(`${[paths, ...lines].join('\n')}\n`);
  return EXIT.ok;
}
