import { type Command, CommanderError } from 'commander';
import { commandLine } from '../../cli/command-line/program.js';

/** The real definitions of the command line, without the commands. */

export interface Parsed {
  /** `kernel list`; empty if no command was reached. */
  command: string;
  /** commander's message; empty if the words are right. */
  problem: string;
  stdout: string;
}

/** @param words the arguments of `daxrepro` */
export async function parse(words: readonly string[]): Promise<Parsed> {
  const program = commandLine('0.0.0');
  const parsed: Parsed = { command: '', problem: '', stdout: '' };
  for (const command of allCommands(program)) {
    command.configureOutput({
      writeOut: (text) => {
        parsed.stdout += text;
      },
      writeErr: (text) => {
        parsed.problem += text;
      },
      getOutHelpWidth: () => 100,
    });
    const { commands, registeredArguments, options } = command;
    if (commands.length === 0 || registeredArguments.length > 0 || options.length > 0) {
      command.action(() => {
        parsed.command = nameOf(command);
      });
    }
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return parsed;
}

/** The program and all its subcommands, except `help` and those that only shells call. */
export function allCommands(command: Command): Command[] {
  const visible = command.createHelp().visibleCommands(command);
  const below = visible.filter((one) => command.commands.includes(one));
  return [command, ...below.flatMap(allCommands)];
}

/** Without the program's own name. */
export function nameOf(command: Command): string {
  const above = command.parent ? nameOf(command.parent) : undefined;
  return above === undefined ? '' : `${above} ${command.name()}`.trim();
}

/**
 * The words of a shell command with quotes and variables. Parts that would have to be run stay as
 * they are written.
 */
export function shellWords(line: string): string[] {
  const words = line.match(/(?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+/g) ?? [];
  const end = words.findIndex((word) => /^(?:[|;<]|&&|\d?>)/.test(word) || word === '#');
  return words
    .slice(0, end < 0 ? undefined : end)
    .map((word) => word.replaceAll(/['"]|\\(?=.)/g, ''));
}

/** The arguments of each `daxrepro` in a command line, even within another command. */
export function ownWords(line: string): string[][] {
  // Single quotes make one word of their content; comments are dropped.
  const plain = line
    .replaceAll(/'[^']*'/g, (quoted) => quoted.replaceAll(/[|&;$<(]/g, '_'))
    .replace(/(?:^|\s)#\s.*$/, '');
  const all = plain
    .split(/\s\|\s|&&|;|[$<]\(/)
    .map((part) => shellWords(part.replace(/\).*$/, '')))
    .flatMap((words) => {
      const at = words.findIndex((word) => /^(?:\.\/)?daxrepro$/.test(word));
      return at < 0 ? [] : [words.slice(at + 1)];
    });
  return all;
}
