import { readdirSync, readFileSync } from 'node:fs';

const FIXTURES = new URL('../../fixtures/', import.meta.url);

/** A recorded log from `fixtures/logs/`; the README.md there says how they were made. */
export function recorded(name: string, directory = 'logs'): string {
  return readFileSync(new URL(`${directory}/${name}`, FIXTURES), 'utf8');
}

/** The names of the logs in a directory of `fixtures/`. */
export function recordedNames(directory = 'logs'): string[] {
  return readdirSync(new URL(directory, FIXTURES)).filter((name) => name.endsWith('.log'));
}
