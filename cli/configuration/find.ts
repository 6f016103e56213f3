import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The name of a project's configuration file. */
export const CONFIGURATION = 'daxrepro.yaml';

/** The file in this directory or the nearest one above; undefined if there is none. */
export function findConfiguration(from: string = process.cwd()): string | undefined {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const file = join(directory, CONFIGURATION);
    if (existsSync(file)) return file;
    if (directory === dirname(directory)) return undefined;
  }
}
