import { readdirSync } from 'node:fs';

/** The names in a directory; none if it is not there, or cannot be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
