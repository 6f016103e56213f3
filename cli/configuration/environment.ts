import { nearest } from '../nearest.js';
import { failure, type Outcome, success } from '../outcome.js';
import { configurationSchema, SETTING_NAMES, type SettingName } from './schema.js';
import { checkSettings, explainIssue, type Settings, valuesOf } from './settings.js';

/**
 * Reads the settings from environment variables: DAXREPRO_ and the key of daxrepro.yaml in capitals,
 * with _ for -. An empty variable counts as unset. Paths are relative to the working directory. Blanks
 * or commas separate the values of a list.
 */
export async function readEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Outcome<Settings>> {
  const raw: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const text = environment[variableOf(name)]?.trim();
    if (text) raw[name] = asInFile(name, text);
  }
  const parsed = configurationSchema.safeParse(raw);
  const base = process.cwd();
  const checked = parsed.success
    ? await checkSettings(parsed.data, base)
    : explainIssue(parsed.error.issues[0]);
  if (!parsed.success || !checked.ok) {
    const { path, message, remedy } = checked as Extract<typeof checked, { ok: false }>;
    const name = variableOf(path[0] as SettingName);
    const plain = message.replace(/^"[^"]*" has a wrong value$/, 'Wrong value');
    return failure(
      'usage',
      `The environment variable ${name} is ${JSON.stringify(environment[name])}: ${plain}`,
      `${remedy}; or unset ${name}`,
    );
  }
  const settings: Settings = {};
  for (const [name, value] of Object.entries(valuesOf(parsed.data, base))) {
    const variable = variableOf(name as SettingName);
    settings[name as SettingName] = { value, source: { type: 'environment', variable } };
  }
  return success(settings);
}

/** Unknown variables that look like misspelt ones of ours, and the probable meaning. */
export function misspelt(
  environment: NodeJS.ProcessEnv = process.env,
): { variable: string; meant: string }[] {
  const known = [...SETTING_NAMES.map(variableOf), 'DAXREPRO_XFSTESTS', 'DAXREPRO_TOOLS'];
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('DAXREPRO_') && !known.includes(variable))
    .flatMap((variable) => {
      const [meant] = nearest(variable, known);
      return meant === undefined ? [] : [{ variable, meant }];
    });
}

export function variableOf(name: SettingName): string {
  return `DAXREPRO_${name.toUpperCase().replaceAll('-', '_')}`;
}

const BOOLEANS = new Map([
  ...['1', 'true', 'yes', 'on'].map((text) => [text, true] as const),
  ...['0', 'false', 'no', 'off'].map((text) => [text, false] as const),
]);

/** The value as the file would have it. */
function asInFile(name: SettingName, text: string): unknown {
  switch (name) {
    case 'jobs':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'together':
    case 'partition':
      return BOOLEANS.get(text.toLowerCase()) ?? text;
    case 'exclude':
    case 'exclude-file':
    case 'suite-patch':
    case 'exclude-group':
      return text.split(/[\s,]+/).filter(Boolean);
    default:
      return text;
  }
}
