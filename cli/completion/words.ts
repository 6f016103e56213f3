import type { Argument, Command, Option } from 'commander';

/** An incomplete command line, parsed by the definitions of the commands. */
export interface Typed {
  command: Command;
  /** The command's complete arguments. */
  operands: string[];
  /** Values of options by long flag. */
  options: Map<string, string[]>;
  /** The kind of the last word. */
  expected:
    | { type: 'value'; placeholder: string; prefix: string; text: string }
    | { type: 'option'; text: string }
    | { type: 'operand'; argument: Argument | undefined; text: string };
}

/** @param words the words after the program's name; the last one is incomplete and may be empty */
export function readTyped(program: Command, words: readonly string[]): Typed {
  const before = words.slice(0, -1);
  const text = words.at(-1) ?? '';
  let command = program;
  const operands: string[] = [];
  const options = new Map<string, string[]>();
  let pending: Option | undefined;
  let noMoreOptions = false;
  for (const word of before) {
    if (pending) {
      note(options, pending, word);
      pending = undefined;
    } else if (word === '--') noMoreOptions = true;
    else if (word.startsWith('-') && word !== '-' && !noMoreOptions) {
      const [flag = '', value] = word.split(/=(.*)/s);
      const option = findOption(command, flag);
      if (!option) continue;
      if (option.required && value === undefined) pending = option;
      else note(options, option, value ?? '');
    } else {
      const below: Command | undefined =
        operands.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (below) command = below;
      else operands.push(word);
    }
  }
  const typed = { command, operands, options };
  if (pending) {
    const placeholder = placeholderOf(pending) ?? '';
    return { ...typed, expected: { type: 'value', placeholder, prefix: '', text } };
  }
  if (text.startsWith('-') && !noMoreOptions) {
    const [flag = '', value] = text.split(/=(.*)/s);
    const option = value === undefined ? undefined : findOption(command, flag);
    const placeholder = option && placeholderOf(option);
    if (placeholder === undefined) return { ...typed, expected: { type: 'option', text } };
    const expected = { type: 'value', placeholder, prefix: `${flag}=`, text: value ?? '' } as const;
    return { ...typed, expected };
  }
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  const argument = all[operands.length] ?? (last?.variadic ? last : undefined);
  return { ...typed, expected: { type: 'operand', argument, text } };
}

/** `spec` for `--kernel <spec>`; undefined for an option without a value. */
export function placeholderOf({ flags }: Option): string | undefined {
  return /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]/.exec(flags)?.[1];
}

function findOption(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function note(options: Typed['options'], option: Option, value: string): void {
  const name = option.long ?? option.short ?? '';
  options.set(name, [...(options.get(name) ?? []), value]);
}

/**
 * Splits a bash command line, cut at the cursor, into words. Removes quotes and backslashes; expands
 * nothing.
 */
export function splitLine(line: string): string[] {
  const words: string[] = [''];
  let quote = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? '';
    if (character === '\\' && quote !== "'") {
      index += 1;
      words[words.length - 1] += line[index] ?? '';
    } else if (quote) {
      if (character === quote) quote = '';
      else words[words.length - 1] += character;
    } else if (character === '"' || character === "'") quote = character;
    else if (/\s/.test(character)) {
      if (words.at(-1) !== '') words.push('');
    } else words[words.length - 1] += character;
  }
  return words;
}
