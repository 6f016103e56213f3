import { readConfiguration } from '../configuration/configuration.js';
import { findConfiguration } from '../configuration/find.js';
import { formatFailure } from '../outcome.js';

/** The project's daxrepro.yaml, for `daxrepro doctor`. */
export interface ConfigurationReport {
  file: string;
  /** By option name. */
  values: Record<string, string | string[] | boolean>;
  /** A sentence without the full stop. */
  problem: string | null;
}

/** Returns null if there is no such file. */
export async function describeConfiguration(): Promise<ConfigurationReport | null> {
  const file = findConfiguration();
  if (file === undefined) return null;
  const read = await readConfiguration(file);
  if (read.ok) {
    const { settings, variants } = read.value;
    const values = Object.entries(settings).map(([name, { value }]) => [name, value]);
    const named = variants.map(({ name }) => name);
    if (named.length > 0) values.push(['variants', named]);
    return { file, values: Object.fromEntries(values), problem: null };
  }
  const problem = formatFailure(read.failure)
    .replace(/^daxrepro: /, '')
    .replace(/\.$/, '');
  return { file, values: {}, problem };
}
