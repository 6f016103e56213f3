import type { Command } from 'commander';
import { EXIT, formatFailure, type Outcome, success } from '../outcome.js';
import type { ProjectVariant } from './configuration.js';
import { findConfiguration } from './find.js';
import type { SettingName } from './schema.js';
import type { Settings } from './settings.js';

/** For these, a case file overrides the environment and the project; an option overrides the case. */
const CASE_SAYS = ['kernel', 'pmem', 'partition', 'stack', 'timeout', 'suite', 'suite-patch'];

/**
 * The commands that take settings, and the settings that each ignores. A bisection ignores `kernel`,
 * because its --kernel also decides how commits are built.
 */
const TAKERS: Record<string, readonly SettingName[]> = {
  run: [],
  compare: [],
  'plan run': [],
  'plan compare': [],
  list: [],
  shell: [],
  mutate: [],
  bisect: ['kernel'],
  'bisect run': ['kernel'],
};

/** The settings in effect apart from the command line. */
export interface InForce {
  /** The project's daxrepro.yaml; undefined if there is none. */
  file: string | undefined;
  /** The environment overrides the file. */
  settings: Settings;
  variants: ProjectVariant[];
}

/** Reads the environment and the project's file. */
export async function readInForce(): Promise<Outcome<InForce>> {
  const file = findConfiguration();
  const nothing = success({ settings: {} as Settings, variants: [] as ProjectVariant[] });
  const environment = hasVariables()
    ? await (await import('./environment.js')).readEnvironment()
    : success<Settings>({});
  if (!environment.ok) return environment;
  const project =
    file === undefined
      ? nothing
      : await (await import('./configuration.js')).readConfiguration(file);
  if (!project.ok) return project;
  const { settings, variants } = project.value;
  return success({ file, settings: { ...settings, ...environment.value }, variants });
}

/** Usually there are none, and then their parser need not be loaded. */
function hasVariables(): boolean {
  return Object.keys(process.env).some((name) => name.startsWith('DAXREPRO_'));
}

/** The settings that this command takes; undefined if it takes none. */
export function takenBy(command: Command, settings: Settings): Settings | undefined {
  const except = TAKERS[nameOf(command)];
  if (except === undefined) return undefined;
  const taken = Object.entries(settings).filter(([name]) => !except.includes(name as SettingName));
  return Object.fromEntries(taken);
}

/** The command's full name without the program's: `bisect run`. */
function nameOf(command: Command): string {
  const above = command.parent?.parent ? `${nameOf(command.parent)} ` : '';
  return `${above}${command.name()}`;
}

/** Whether the case file of this command may override the setting. */
export function leftToCase(command: Command, name: string): boolean {
  return command.name() === 'compare' && command.args.length > 0 && CASE_SAYS.includes(name);
}

/**
 * Sets the options that the command line leaves out to the values of the environment and of the
 * project's configuration. Call it before the command acts.
 *
 * @returns the exit code if a value is wrong, after printing the error
 */
export async function applyConfiguration(command: Command): Promise<number | undefined> {
  if (takenBy(command, {}) === undefined) return undefined;
  const read = await readInForce();
  if (!read.ok) {
    process.stderr.write(`${formatFailure(read.failure)}\n`);
    return EXIT.usage;
  }
  await sayMisspelt();
  const { settings, variants } = read.value;
  const configured: string[] = [];
  const open: Record<string, unknown> = {};
  for (const [name, { value, source }] of Object.entries(takenBy(command, settings) ?? {})) {
    configured.push(name);
    const option = command.options.find((one) => one.long === `--${name}`);
    if (!option || command.getOptionValueSource(option.attributeName()) === 'cli') continue;
    const isList = option.parseArg !== undefined && !Array.isArray(value);
    const whole = isList ? [value] : value;
    if (leftToCase(command, name)) open[option.attributeName()] = whole;
    else {
      const by = source.type === 'file' ? 'config' : 'env';
      command.setOptionValueWithSource(option.attributeName(), whole, by);
    }
  }
  // Internal values: `configured` goes into the replay command, since another machine is configured
  // differently; `open` fills what a case file leaves out; `variants` are the names for --variant.
  command.setOptionValueWithSource('configured', configured, 'config');
  command.setOptionValueWithSource('open', open, 'config');
  command.setOptionValueWithSource('variants', variants, 'config');
  return undefined;
}

async function sayMisspelt(): Promise<void> {
  if (!hasVariables()) return;
  const { misspelt } = await import('./environment.js');
  for (const { variable, meant } of misspelt()) {
    process.stderr.write(
      `daxrepro: unknown environment variable ${variable}; did you mean ${meant}?\n`,
    );
  }
}
