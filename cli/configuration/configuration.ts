import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LocatedYaml, parseLocatedYaml } from '../located-yaml.js';
import { nearest } from '../nearest.js';
import { failure, type Outcome, type Place, success } from '../outcome.js';
import { whyUnreadable } from '../variant/named.js';
import type { Variant } from '../variant/variant.js';
import { configurationSchema, type RawConfiguration, type SettingName } from './schema.js';
import {
  type Checked,
  checkSettings,
  explainIssue,
  placed,
  type Settings,
  valuesOf,
} from './settings.js';

/**
 * The settings that a project shares among its runs, from a file `daxrepro.yaml` in the working
 * directory or above. Each key has the name of an option, and the option overrides it. Paths are
 * relative to the file.
 */
export interface Configuration {
  file: string;
  settings: Settings;
  /** The variants that `--variant NAME` may name, with absolute paths. */
  variants: ProjectVariant[];
}

export interface ProjectVariant extends Variant {
  place: Place;
}

const KEYS = Object.keys(configurationSchema.shape);

/** Fails with a usage error that has the place in the file. */
export async function readConfiguration(file: string): Promise<Outcome<Configuration>> {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    return failure(
      'usage',
      `The project's configuration cannot be read: ${(error as Error).message}`,
      'Make it readable, or move it away',
      { place: { file } },
    );
  }
  const yaml = parseLocatedYaml(file, content);
  if (!yaml.ok) return yaml;
  // A file of nothing but comments is empty.
  const parsed = configurationSchema.safeParse(yaml.value.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue?.code === 'unrecognized_keys') return unknownKey(issue.keys[0] ?? '', yaml.value);
    return wrong(explainIssue(issue), yaml.value);
  }
  const raw = parsed.data;
  const base = dirname(file);
  const checked = await checkSettings(raw, base);
  if (!checked.ok) return wrong(checked, yaml.value);
  const variants = variantsOf(raw, base);
  const unreadable = findUnreadable(raw, variants);
  if (unreadable) return wrong(unreadable, yaml.value);
  const settings: Settings = {};
  for (const [name, value] of Object.entries(valuesOf(raw, base))) {
    const place = yaml.value.placeOfKey([], name);
    settings[name as SettingName] = { value, source: { type: 'file', place } };
  }
  const located = variants.map((one) => ({
    ...one,
    place: yaml.value.placeOfKey(['variants'], one.name),
  }));
  return success({ file, settings, variants: located });
}

function unknownKey(key: string, yaml: LocatedYaml): Outcome<never> {
  const near = nearest(key, KEYS);
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '';
  return failure(
    'usage',
    `Unknown key ${JSON.stringify(key)} in the project's configuration`,
    `${hint}The keys are ${KEYS.join(', ')}`,
    { place: yaml.placeOfKey([], key) },
  );
}

function wrong({ path, message, remedy }: Checked & { ok: false }, yaml: LocatedYaml) {
  return failure('usage', message, remedy, { place: yaml.placeOf(path) });
}

function variantsOf({ variants = {} }: RawConfiguration, base: string): Variant[] {
  return Object.entries(variants).map(([name, changes]) => ({
    name,
    changes: changes.map((change) => placed(change, base)),
  }));
}

function findUnreadable(
  raw: RawConfiguration,
  variants: readonly Variant[],
): (Checked & { ok: false }) | undefined {
  for (const { name, changes } of variants) {
    for (const [index, change] of changes.entries()) {
      const problem = whyUnreadable(change);
      if (problem === undefined) continue;
      const message = `${raw.variants?.[name]?.[index]}, a change of ${name}, ${problem}`;
      const remedy = 'Paths are relative to this file; name a patch, an mbox or a .cocci file';
      return { ok: false, path: ['variants', name, index], message, remedy };
    }
  }
  return undefined;
}
