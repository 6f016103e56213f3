import { type Command, CommanderError, type Help, type Option } from 'commander';
import { groupBy } from '../group-by.js';
import { manualOf } from './manual.js';

/**
 * Help in two lengths. `-h` lists the arguments and options. `--help` begins with examples, says more
 * about some options, and ends with the exit codes, like the manual page (manual-page.ts).
 */

/** Call it before adding commands: they inherit the configuration. */
export function configureHelp(program: Command): Command {
  return program
    .helpOption('--help', 'full help, with examples')
    .helpCommand('help [command]', 'same as --help of the command')
    .configureHelp({
      formatHelp: formatLong,
      styleTitle: bold,
      subcommandTerm: (command) => command.name(),
    });
}

/** Adds `-h` to a command and its subcommands. */
export function addBriefHelp(command: Command): void {
  command.optionsGroup('Help:').option('-h', 'short help');
  command.on('option:h', () => {
    command.configureHelp({ ...command.configureHelp(), formatHelp: formatBrief }).outputHelp();
    // Commander ends --help like this: see exitOverride.
    throw new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)');
  });
  for (const one of command.commands) addBriefHelp(one);
}

function bold(text: string): string {
  return `\x1b[1m${text}\x1b[22m`;
}

function formatBrief(command: Command, helper: Help): string {
  const parts = [
    ...usage(command, helper),
    ...argumentLists(command, helper),
    ...optionLists(command, helper),
    ...commandList(command, helper),
  ];
  return parts.join('\n');
}

function formatLong(command: Command, helper: Help): string {
  const manual = manualOf(command);
  const parts = [
    ...examples(command, helper),
    ...usage(command, helper),
    ...paragraphs(manual?.details, helper),
    ...argumentLists(command, helper),
    ...optionLists(command, helper, manual?.options),
    ...commandList(command, helper),
    ...exitCodes(command, helper),
  ];
  return parts.join('\n');
}

function examples(command: Command, helper: Help): string[] {
  const all = manualOf(command)?.examples ?? [];
  if (all.length === 0) return [];
  const width = Math.max(...all.map(([line]) => line.length));
  const widest = width + 4 + Math.max(...all.map(([, does]) => does.length));
  const beside = widest <= (helper.helpWidth ?? 80);
  const lines = all.map(([line, does]) =>
    beside ? `  ${line.padEnd(width)}  ${does}` : `  ${line}\n      ${does}`,
  );
  return [helper.styleTitle('Examples:'), ...lines, ''];
}

function usage(command: Command, helper: Help): string[] {
  return [
    `${helper.styleTitle('Usage:')} ${helper.commandUsage(command)}`,
    '',
    ...paragraphs(helper.commandDescription(command), helper),
  ];
}

function argumentLists(command: Command, helper: Help): string[] {
  const items = helper
    .visibleArguments(command)
    .map((one) => [helper.argumentTerm(one), helper.argumentDescription(one)] as const);
  return list('Arguments:', items, helper);
}

function optionLists(
  command: Command,
  helper: Help,
  more: Readonly<Record<string, string>> = {},
): string[] {
  const { own, help } = optionGroups(command, helper);
  // Every command has these, so they come last.
  return [...own, ['Help:', help] as const].flatMap(([heading, options]) =>
    list(
      heading,
      options.map((one) => {
        const extra = more[one.long ?? ''];
        const description = describeOption(one);
        return [helper.optionTerm(one), extra ? `${description}\n${extra}` : description] as const;
      }),
      helper,
    ),
  );
}

/** A command's own options by heading, and its help options. */
export function optionGroups(
  command: Command,
  helper: Help,
): {
  own: Map<string, Option[]>;
  help: Option[];
} {
  const isHelp = ({ short, long }: Option) => short === '-h' || long === '--help';
  const all = helper.visibleOptions(command);
  const own = all.filter((option) => !isHelp(option));
  return {
    own: groupBy(own, ({ helpGroupHeading }) => helpGroupHeading ?? 'Options:'),
    help: all.filter(isHelp),
  };
}

function commandList(command: Command, helper: Help): string[] {
  const items = helper
    .visibleCommands(command)
    .map((one) => [helper.subcommandTerm(one), helper.subcommandDescription(one)] as const);
  return list('Commands:', items, helper);
}

function exitCodes(command: Command, helper: Help): string[] {
  return list('Exit codes:', manualOf(command)?.exitCodes ?? [], helper);
}

/** The text of wider terms starts on the next line. */
const WIDEST_TERM = 26;

function list(
  heading: string,
  items: readonly (readonly [term: string, description: string])[],
  helper: Help,
): string[] {
  if (items.length === 0) return [];
  const fitting = items.map(([term]) => term.length).filter((length) => length <= WIDEST_TERM);
  const width = Math.max(0, ...fitting);
  const indent = ' '.repeat(width + 4);
  const lines = items.map(([term, description]) => {
    const text = helper
      .boxWrap(description, textWidth(helper) - indent.length)
      .replaceAll('\n', `\n${indent}`);
    return term.length > width ? `  ${term}\n${indent}${text}` : `  ${term.padEnd(width)}  ${text}`;
  });
  return [helper.styleTitle(heading), ...lines, ''];
}

/** Longer lines are hard to read. */
function textWidth(helper: Help): number {
  return Math.min(Math.max(helper.helpWidth ?? 80, 60), 100);
}

/** Wraps text for the reader's terminal: line breaks in the source do not count. */
function paragraphs(text: string | undefined, helper: Help): string[] {
  return splitParagraphs(text).flatMap((one) => [helper.boxWrap(one, textWidth(helper)), '']);
}

/** Each paragraph becomes one line. */
export function splitParagraphs(text = ''): string[] {
  return text
    .split(/\n\s*\n/)
    .map((one) => one.replaceAll(/\s+/g, ' ').trim())
    .filter((one) => one !== '');
}

/** The option's description with its default. */
export function describeOption({ description, defaultValue }: Option): string {
  return defaultValue === undefined || typeof defaultValue === 'boolean'
    ? description
    : `${description} (default: ${defaultValue})`;
}
