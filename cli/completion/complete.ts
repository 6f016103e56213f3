import type { Command } from 'commander';
import type { Suggestion, Suggestions } from './suggestions.js';
import { valuesFor } from './values.js';
import { readTyped, type Typed } from './words.js';

/** @param words the words after the program's name; the last one is incomplete and may be empty */
export async function complete(program: Command, words: readonly string[]): Promise<Suggestions> {
  const typed = readTyped(program, words);
  const found = await suggest(typed, program);
  const { text } = typed.expected;
  const prefix = typed.expected.type === 'value' ? typed.expected.prefix : '';
  const values = found.values
    // Shells print suggestions unescaped, so control characters must not reach them.
    .filter(([value]) => value.startsWith(text) && !/[\x00-\x1f\x7f-\x9f]/.test(value))
    .map(([value, description]) => [`${prefix}${value}`, description ?? ''] as const);
  return { values, paths: found.paths };
}

async function suggest(typed: Typed, program: Command): Promise<Suggestions> {
  const { expected, command, operands } = typed;
  switch (expected.type) {
    case 'value':
      return valuesFor(expected.placeholder, typed, program);
    case 'option':
      return { values: optionsOf(typed), paths: 'none' };
    case 'operand': {
      // Commander adds `help` by itself, so no definition has its arguments.
      if (command === program && operands[0] === 'help') {
        return valuesFor('command', typed, program);
      }
      const below = operands.length === 0 ? command.createHelp().visibleCommands(command) : [];
      const names = below.map((one) => [one.name(), one.summary() || one.description()] as const);
      const values = expected.argument
        ? await valuesFor(expected.argument.name(), typed, program)
        : { values: [], paths: 'none' as const };
      return { values: [...names, ...values.values], paths: values.paths };
    }
  }
}

/** The options that are not on the line yet, or may be repeated. */
function optionsOf({ command, options }: Typed): Suggestion[] {
  const left = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long, short, parseArg }) => parseArg || !options.has(long ?? short ?? ''));
  return left.flatMap(({ long, short, description }) =>
    [long, short].flatMap((flag) => (flag ? [[flag, description] as const] : [])),
  );
}
