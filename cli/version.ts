import { readFileSync } from 'node:fs';

/** The installed or checked-out package, with `guest-scripts/` and `kernels/`. */
export const packageRoot = new URL('../', import.meta.url);

/** This program's version, from package.json. */
export function version(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The directory that holds the program: `dist/`, if it was built. */
export const programDirectory = new URL('.', import.meta.url);
