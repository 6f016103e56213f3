import { relative } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { alignColumns } from '../columns.js';
import { type InForce, readInForce, takenBy } from '../configuration/apply.js';
import { misspelt } from '../configuration/environment.js';
import { type Origin, originsOf } from '../configuration/origins.js';
import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, exitCodeOf, formatFailure, type Place } from '../outcome.js';

/**
 * `daxrepro config [command...]`: prints the options of a command line and where their values come
 * from. Does not run it.
 *
 * @param program a separate instance, since parsing changes it
 */
export async function configCommand(
  program: Command,
  words: string[],
  { json = false }: { json?: boolean },
): Promise<number> {
  const command = await parseOnly(program, words.length > 0 ? words : ['run']);
  // Commander has printed the reason.
  if (command === undefined) return EXIT.usage;
  if (takenBy(command, {}) === undefined) {
    process.stderr.write(
      `daxrepro: ${command.name()} takes options only from the command line.\n  Use config with run, compare, bisect, shell or list.\n`,
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
    process.stderr.write(
      `daxrepro: unknown environment variable ${variable}; did you mean ${meant}?\n`,
    );
  }
  return EXIT.ok;
}

/** The command that these words name, with its options; undefined on wrong usage. */
async function parseOnly(program: Command, words: readonly string[]): Promise<Command | undefined> {
  let found: Command | undefined;
  const capture = (command: Command) => {
    // Only the options matter, so arguments may be left out.
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
  return alignColumns([
    ['project', file === undefined ? 'no daxrepro.yaml here or above' : near(file)],
    ...rows.map(([name, value, source]) => [name, `${value}  (${source})`]),
  ]);
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

/** The relative path, if it is shorter. */
function near(path: string): string {
  const short = relative(process.cwd(), path);
  return short.length < path.length ? short : path;
}
