import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { parseLocatedYaml } from '../located-yaml.js';
import type { Place } from '../outcome.js';
import { defaultRunsDirectory } from '../results/run-directory.js';
import { type InForce, leftToCase, takenBy } from './apply.js';
import { SETTING_NAMES, type SettingName } from './schema.js';
import type { SettingValue, Source } from './settings.js';

/** An option, its value, and where the value comes from. */
export interface Origin {
  /** The option's name without the dashes. */
  name: string;
  /** null if nothing sets it; `says` then describes the default. */
  value: SettingValue | null;
  source: 'flag' | 'case' | 'environment' | 'file' | 'default';
  variable?: string;
  place?: Place;
  says?: string;
}

/** Descriptions of defaults that are not values of the command line. */
const UNSET: Partial<Record<SettingName, string>> = {
  jobs: 'what CPUs and memory allow',
  timeout: '120, or 15m for xfstests',
  partition: 'no',
  together: 'no',
  expected: 'none',
  exclude: 'none',
  'exclude-file': 'none',
  'suite-patch': 'none',
  'exclude-group': 'none',
};

/** @param command parsed, but not run */
export function originsOf(command: Command, inForce: InForce): Origin[] {
  const taken = takenBy(command, inForce.settings) ?? {};
  const inCase = caseOf(command);
  return command.options.flatMap((option) => {
    const name = (option.long ?? '').replace(/^--(?:no-)?/, '');
    const own = (given: Omit<Origin, 'name'>) => [{ name, ...given }];
    const value = shown(command.getOptionValue(option.attributeName()));
    if (command.getOptionValueSource(option.attributeName()) === 'cli') {
      return own({ value, source: 'flag' });
    }
    const said = leftToCase(command, name) ? inCase.get(name) : undefined;
    if (said) return own({ ...said, source: 'case' });
    const setting = taken[name as SettingName];
    if (setting) return own({ value: setting.value, ...sourceOf(setting.source) });
    return withDefault(name, option, value);
  });
}

function sourceOf(source: Source): Pick<Origin, 'source' | 'variable' | 'place'> {
  return source.type === 'file'
    ? { source: 'file', place: source.place }
    : { source: 'environment', variable: source.variable };
}

function withDefault(name: string, option: Option, value: SettingValue | null): Origin[] {
  if (value !== null && typeof value !== 'boolean') return [{ name, value, source: 'default' }];
  const isSetting = (SETTING_NAMES as readonly string[]).includes(name);
  const unset = name === 'out' ? defaultRunsDirectory() : UNSET[name as SettingName];
  const says = unset ?? /\(.*default: (.*)\)/.exec(option.description)?.[1];
  // Other options without a value are off, and not listed.
  return isSetting ? [{ name, value: null, source: 'default', says: says ?? 'none' }] : [];
}

function shown(value: unknown): SettingValue | null {
  return value === undefined ? null : (value as SettingValue);
}

/** The settings in the case file of `compare`; empty if it cannot be read. */
function caseOf(command: Command): Map<string, { value: SettingValue; place: Place }> {
  const found = new Map<string, { value: SettingValue; place: Place }>();
  const [file] = command.args;
  if (file === undefined || command.name() !== 'compare') return found;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return found;
  }
  const yaml = parseLocatedYaml(file, text);
  if (!yaml.ok) return found;
  const { value } = yaml.value;
  if (typeof value !== 'object' || value === null) return found;
  for (const [name, one] of Object.entries(value)) {
    const plain = Array.isArray(one) ? one.map(String) : String(one);
    found.set(name, { value: plain, place: yaml.value.placeOfKey([], name) });
  }
  return found;
}
