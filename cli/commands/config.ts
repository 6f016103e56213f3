import { relative } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { type InForce, readInForce, takenBy } from '../configuration/apply.js';
import { misspelt } from '../configuration/environment.js';
import { type Origin, originsOf } from '../configuration/origins.js';
import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, exitCodeOf, formatFailure, type Place } from '../outcome.js';

/**
 * `daxrepro config [command...]`: the options of a command line that is not run, with where their
 * values come from.
 *
 * @param program a command line of its own: parsing it changes it
 */
export async function configCommand(
  program: Command,
  words: string[],
  { json = false }: { json?: boolean },
): Promise<number> {
  const command = await parseOnly(program, words.length > 0 ? words : ['run']);
  // Commander has said why.
  if (command === undefined) return EXIT.usage;
  if (takenBy(command, {}) === undefined) {
    process.stderr.write(
      `daxrepro: ${command.name()} takes its options from the command line alone.\n  Ask for run, compare, bisect or list.\n`,
    );
    return EXIT.usage;
  }
  const inForce = await readInForce();
  if (!inForce.ok) {
    process.stderr.write(`${formatFailure(inForce.failure)}\n`);
    return exitCodeOf(inForce.failure);
  }
  const origins = originsOf(command, inForce.value);
  const text = json
    ? toJson(command, origins, inForce.value)
    : toText(origins, inForce.value).map(escapeForTerminal).join('\n');
  process.stdout.write(`${text}\n`);
  for (const { variable, meant } of misspelt()) {
    process.stderr.write(`daxrepro: ${variable} means nothing here; did you mean ${meant}?\n`);
  }
  return EXIT.ok;
}

/** The command that these words name, with its options; undefined where they are wrong. */
async function parseOnly(program: Command, words: readonly string[]): Promise<Command | undefined> {
  let found: Command | undefined;
  const capture = (command: Command) => {
    // What is to be run need not be said: only the options are asked for.
    for (const argument of command.registeredArguments) argument.argOptional();
    command.action(() => {
      found = command;
    });
    command.commands.forEach(capture);
  };
  program.commands.forEach(capture);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return found;
}

function toJson(command: Command, settings: Origin[], { file, variants }: InForce): string {
  const report = {
    schemaVersion: 1,
    command: command.name(),
    file: file ?? null,
    settings: settings.map(({ says, ...origin }) => origin),
    variants,
  };
  return JSON.stringify(report, undefined, 2);
}

function toText(origins: readonly Origin[], { file, variants }: InForce): string[] {
  const rows = [
    ...origins.map((origin) => [origin.name, valueText(origin), sourceText(origin)] as const),
    ...variants.map(
      ({ name, changes, place }) =>
        [`variant ${name}`, changes.map(near).join(' ') || 'no change', at(place)] as const,
    ),
  ];
  const names = Math.max(...rows.map(([name]) => name.length));
  return [
    `${'project'.padEnd(names)}  ${file === undefined ? 'no daxrepro.yaml here or above' : near(file)}`,
    ...rows.map(([name, value, source]) => `${name.padEnd(names)}  ${value}  (${source})`),
  ];
}

function valueText({ value, says = '' }: Origin): string {
  if (value === null) return says;
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;
}

function sourceText({ source, variable, place }: Origin): string {
  if (place) return at(place);
  return variable ?? source;
}

function at({ file, line }: Place): string {
  return `${near(file)}:${line ?? 1}`;
}

/** Paths of the neighbourhood as people type them. */
function near(path: string): string {
  const short = relative(process.cwd(), path);
  return short.length < path.length ? short : path;
}
