import type { Command, Help, Option } from 'commander';
import { describeOption, optionGroups, splitParagraphs } from './help.js';
import { type ExitCode, manualOf } from './manual.js';

/**
 * The manual page daxrepro(1) in man(7) format: the `--help` text of every command on one page.
 * bundle.js writes it beside the program.
 *
 * @param more sections about no single command
 */
export function manualPage(
  program: Command,
  version: string,
  more: readonly ManualSection[] = [],
): string {
  const helper = program.createHelp();
  const commands = allCommands(program, helper);
  const lines = [
    // Without hyphenation, commands can be copied from the page.
    `.TH DAXREPRO 1 "" "daxrepro ${version}" "User Commands"`,
    '.nh',
    '.ad l',
    '.SH NAME',
    'daxrepro \\- reproduce DAX file-system bugs in QEMU guests',
    '.SH SYNOPSIS',
    ...commands.flatMap((one) => ['.PP', synopsis(one, helper)]),
    '.SH DESCRIPTION',
    ...prose(program.description()),
    ...prose(manualOf(program)?.details),
    '.SH EXAMPLES',
    ...examples(program),
    '.SH OPTIONS',
    'Every command has \\-h and \\-\\-help, and its own options.',
    ...program.options.flatMap((one) => describe(one, undefined)),
    ...tagged(
      '.B \\-\\-help',
      program.createHelp().visibleOptions(program).at(-1)?.description ?? '',
    ),
    '.SH COMMANDS',
    ...commands.flatMap((one) => describeCommand(one, helper)),
    ...more.flatMap(({ title, paragraphs = '', items = [] }) => [
      `.SH ${roff(title.toUpperCase())}`,
      ...prose(paragraphs),
      ...items.flatMap(([term, text]) => tagged(`.B ${roff(term)}`, text)),
    ]),
    '.SH EXIT STATUS',
    'Unless a command says otherwise:',
    ...exitCodes(manualOf(program)?.exitCodes),
  ];
  // A heading starts a paragraph by itself; mandoc warns about another .PP.
  const needed = lines.filter((line, index) => {
    return line !== '.PP' || !/^\.S[HS] /.test(lines[index - 1] ?? '');
  });
  return `${needed.join('\n')}\n`;
}

export interface ManualSection {
  title: string;
  /** Blank lines separate them. */
  paragraphs?: string;
  items?: readonly (readonly [term: string, text: string])[];
}

/** All commands and subcommands. */
function allCommands(program: Command, helper: Help): Command[] {
  return helper
    .visibleCommands(program)
    .filter((one) => one.name() !== 'help')
    .flatMap((one) => [one, ...allCommands(one, helper)]);
}

function isGroup(command: Command): boolean {
  return command.commands.length > 0 && command.registeredArguments.length === 0;
}

function synopsis(command: Command, helper: Help): string {
  const words = helper.commandUsage(command).split(' ');
  const name = words.findIndex((word) => /^[[<]/.test(word));
  const end = name < 0 ? words.length : name;
  const rest = words.slice(end).join(' ');
  return `\\fB${roff(words.slice(0, end).join(' '))}\\fP ${roff(rest)}`.trimEnd();
}

function describeCommand(command: Command, helper: Help): string[] {
  const manual = manualOf(command);
  return [
    `.SS ${synopsis(command, helper)}`,
    ...prose(command.description()),
    ...prose(manual?.details),
    ...(isGroup(command) ? [] : examples(command)),
    ...[...optionGroups(command, helper).own].flatMap(([heading, options]) => [
      ...(heading === 'Options:' ? [] : ['.PP', `.I ${roff(heading)}`]),
      ...options.flatMap((one) => describe(one, manual?.options?.[one.long as `--${string}`])),
    ]),
    ...(manual?.exitCodes ? ['.PP', 'Exit codes:', ...exitCodes(manual.exitCodes)] : []),
  ];
}

function describe(option: Option, more: string | undefined): string[] {
  const text = describeOption(option);
  return tagged(`.B ${roff(option.flags)}`, more === undefined ? text : `${text}; ${more}`);
}

function examples(command: Command): string[] {
  return (manualOf(command)?.examples ?? []).flatMap(([line, does]) => [
    '.PP',
    '.nf',
    `    ${roff(line)}`,
    '.fi',
    '.RS 8',
    sentence(roff(does)),
    '.RE',
  ]);
}

function exitCodes(codes: readonly ExitCode[] = []): string[] {
  return codes.flatMap(([code, meaning]) => tagged(`.B ${roff(code)}`, meaning));
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', tag, sentence(roff(text))];
}

function prose(text: string | undefined): string[] {
  return splitParagraphs(text).flatMap((one) => ['.PP', sentence(roff(one))]);
}

/** roff takes a line that begins with a dot or a quote for a request. */
function sentence(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** Escapes text for roff, so that it can be copied into a shell unchanged. */
function roff(text: string): string {
  const named: Record<string, string> = {
    '\\': '\\e',
    '-': '\\-',
    "'": '\\(aq',
    '`': '\\(ga',
    '^': '\\(ha',
    '~': '\\(ti',
    '"': '\\(dq',
    '×': '\\(mu',
    '…': '...',
  };
  return text.replaceAll(/[\\\-'`^~"×…]/g, (character) => named[character] ?? character);
}
